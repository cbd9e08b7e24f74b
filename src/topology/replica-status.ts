/** What a replica is doing; it takes reads while it is `serving`. */
export type ReplicaStateKind = 'connecting' | 'serving' | 'tripped' | 'down' | 'leaving' | 'closed';

/** A snapshot of one replica. */
export interface ReplicaStatus {
  readonly name: string;
  /** `tripped`: its breaker is open or half-open; `leaving`: its name no longer resolves to it. */
  readonly state: ReplicaStateKind;
  /** Why it takes no reads, when it is `down` or `tripped`. */
  readonly reason: string | undefined;
  /** The identity of the server behind the address; `undefined` while there is no connection. */
  readonly server: string | undefined;
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
