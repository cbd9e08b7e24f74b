/** A snapshot of one master, as seen at its own address. */
export interface MasterStatus {
  /** The address. */
  readonly name: string;
  /** `answers`: the last question was answered. `silent`: it is down, frozen or lets nobody in; `reason` says more. */
  readonly state: 'connecting' | 'answers' | 'silent';
  readonly reason: string | undefined;
  /** The identity of the server behind the address; `undefined` until the first answer. */
  readonly server: string | undefined;
  /** It is the server that was last found as the primary at the VIP. */
  readonly primary: boolean;
  /** Whether it accepted writes at the last look. */
  readonly writable: boolean | undefined;
  /** The transactions that it began itself, at the last look; `undefined` where it keeps no GTIDs. */
  readonly position: string | undefined;
  /** For how long it has not been looked at; `undefined` before the first look. */
  readonly lookedAtMsAgo: number | undefined;
}
