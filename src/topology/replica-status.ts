/** What a replica is doing; it takes reads while it is `serving`. */
export type ReplicaStateKind =
  | 'connecting'
  | 'serving'
  | 'lagging'
  | 'tripped'
  | 'down'
  | 'leaving'
  | 'closed';

/** A snapshot of one replica. */
export interface ReplicaStatus {
  readonly name: string;
  /** `lagging`: too old for `lag.maxLagMs`; `tripped`: its breaker is open or half-open; `leaving`: its name no longer resolves to it. */
  readonly state: ReplicaStateKind;
  /** Why it takes no reads, when it is `down`, `tripped` or `lagging`. */
  readonly reason: string | undefined;
  /** The identity of the server behind the address; `undefined` while there is no connection. */
  readonly server: string | undefined;
  /**
   * How old it was when it was looked at last; 0 for the primary. `undefined`: it does not tell, as with a stopped
   * applier, or nobody has asked: with `lag` of the configuration, or `maxLagMs` of a call, it is looked at.
   */
  readonly lagMs: number | undefined;
  /** Reads under way, those included that wait for a connection. */
  readonly inFlight: number;
  /** Moving average over its reads, fading while there are none. */
  readonly latencyMs: number;
  /** Connections open, without the monitor's. */
  readonly open: number;
  readonly inUse: number;
  /** Reads waiting for a connection. */
  readonly waiting: number;
}
