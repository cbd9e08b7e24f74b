import type { Outcome } from '../errors/errors.ts';

/** Why the primary does not take operations at the moment. */
export type InterruptionReason =
  | 'unanswered'
  | 'connection-lost'
  | 'read-only'
  | 'connect-failed'
  | 'access-denied';

/** Everything that a cluster tells, one payload per event. */
export interface ClusterEvents {
  /** A primary was found behind the VIP: at the start, after a failover, after a restart in place. */
  'epoch:opened': {
    readonly epoch: number;
    readonly server: string;
    readonly previous: string | undefined;
    /** How long primary operations had to wait; 0 when nothing was interrupted. */
    readonly interruptedMs: number;
  };
  /** The VIP does not answer as a writable primary; primary operations wait. */
  'primary:interrupted': {
    readonly epoch: number | undefined;
    readonly reason: InterruptionReason;
    readonly message: string;
  };
  /** The same primary answers again within the same epoch. */
  'primary:resumed': { readonly epoch: number; readonly interruptedMs: number };
  /** A new primary lacks acknowledged writes, `failover.catchUpMs` have passed, and its epoch was opened. */
  'primary:behind': {
    readonly epoch: number;
    readonly server: string;
    /**
     * What this process has seen acknowledged and the server lacks. MySQL: a GTID set. MariaDB: a GTID list with the
     * last acknowledged transaction of each source; whatever lies between that and the server's `@@gtid_binlog_state`
     * is missing.
     */
    readonly missing: string;
    readonly waitedMs: number;
  };
  /** Writes do not tell their position: new primaries open without being asked for them. Told once per cluster. */
  'positions:unavailable': { readonly server: string; readonly reason: string; readonly remedy: string };
  /**
   * The primary does not have what a session wrote or read, after it was waited for: it went with an earlier primary.
   * The session goes on without it. Told once per epoch and source.
   */
  'position:lost': { readonly epoch: number; readonly server: string; readonly missing: string };
  /** The servers' connection limit is below what `pool.max` may ask for. */
  'pool:too-large': { readonly server: string; readonly poolMax: number; readonly maxConnections: number };
  /** A server refuses this host (1129): too many broken connects. `FLUSH HOSTS` on that server lifts it. */
  'host:blocked': { readonly server: string; readonly remedy: string };
  /** Two addresses lead to one identity and have been shown to be two servers: clones with one uuid. Replicas both serve. */
  'identity:collision': { readonly identity: string; readonly servers: readonly string[] };
  /** A master that is not the primary accepts writes. Nothing stops: told once, until it is read-only or the primary. */
  'standby:writable': { readonly master: string; readonly server: string };
  /** There is evidence of two masters that write. Told again only when there was no further evidence for 10 s. */
  'two-writers': {
    /** `vip-turns`: the VIP was answered by A, B and A within 10 s. `positions`: the other master's own GTIDs grew. */
    readonly evidence: 'vip-turns' | 'positions';
    /** The one that holds the VIP, and the other one. */
    readonly servers: readonly string[];
    /** What the other one wrote, where that is the evidence. */
    readonly positions: string | undefined;
    readonly message: string;
    /** Writes wait until the evidence is 10 s old (`failover.twoWriters: 'stop'`). */
    readonly stopped: boolean;
  };
  /** Transactions of an earlier primary have come to the present one, which had opened without them. */
  'stale-primary:wrote': {
    readonly epoch: number;
    /** The earlier primary. */
    readonly server: string;
    readonly positions: string;
    /** What the present primary had of that server before. */
    readonly after: string;
  };
  /** A master cannot be watched, or not in everything; the reason says what to do. Told once for each reason. */
  'master:unwatched': { readonly master: string; readonly reason: string };
  /**
   * The definition of a view cannot be read, so that it might hide a `primaryOnly` table: replicas are not asked for it.
   * Told once for each view.
   */
  'view:unreadable': { readonly view: string; readonly remedy: string };
  /** A replica takes no reads any more. */
  'replica:down': { readonly replica: string; readonly reason: string };
  /** A replica takes reads, for the first time or again. */
  'replica:up': { readonly replica: string; readonly downMs: number };
  /** A replica takes no reads because it is too old, or because nobody can tell how old it is (`lag.maxLagMs`). */
  'replica:lagging': {
    readonly replica: string;
    /** `undefined`: unknown. */
    readonly lagMs: number | undefined;
    readonly maxLagMs: number;
    readonly reason: string;
  };
  /** A replica that was put aside for its lag takes reads again. */
  'replica:caught-up': { readonly replica: string; readonly lagMs: number; readonly asideMs: number };
  /** Lag cannot be read on a server, or no heartbeat is written. Told once for each reason, until it is in order. */
  'lag:unavailable': { readonly server: string; readonly reason: string; readonly remedy: string };
  /** A DNS name resolved to a server that was not known. */
  'replica:added': { readonly replica: string };
  /** A DNS name no longer resolves to a server. */
  'replica:removed': { readonly replica: string };
  /** A DNS name could not be resolved; the servers known from it stay. */
  'discovery:failed': { readonly dns: string; readonly message: string };
  /** Replica reads run on the primary from now on, because no replica may serve. */
  'fallback:started': { readonly reason: string };
  /** A replica may serve again. */
  'fallback:ended': { readonly lastedMs: number };
  /** The cache is not there, or does not answer in time: cached reads go to the database, a few at a time. */
  'cache:away': { readonly reason: string };
  /** It answers again. */
  'cache:back': { readonly awayMs: number };
  /**
   * An invalidation was not delivered to the cache. This process reads these keys and tags past the cache until it is;
   * other processes may serve what they had.
   */
  'cache:invalidation-failed': {
    readonly keys: readonly string[];
    readonly tags: readonly string[];
    /** With their schemas, in lower case. */
    readonly tables: readonly string[];
    /** It was `db.cache.clear`. */
    readonly everything: boolean;
    readonly reason: string;
    /** `false`: too many wait already, so that this one is not tried again, and this process reads past the cache. */
    readonly isRetried: boolean;
  };
  /** An operation is tried again. */
  'operation:retry': {
    readonly role: 'primary' | 'replica';
    readonly server: string | undefined;
    readonly attempt: number;
    readonly outcome: Outcome;
    readonly message: string;
  };
  /** A COMMIT with `exactlyOnce` was left unanswered, and the commit ledger has told what became of it. */
  'commit:resolved': {
    /** The server that was asked to commit. */
    readonly server: string | undefined;
    readonly epoch: number | undefined;
    /** `false`: it was not, and never will be; the closure runs again if there is time. */
    readonly committed: boolean;
    /** How long it took to find out. */
    readonly lastedMs: number;
  };
  /** Old rows of the commit ledger could not be deleted; it is tried again. */
  'ledger:purge-failed': { readonly table: string; readonly message: string };
  /** A write or COMMIT ended with its outcome unknown and was not sent again. */
  'operation:in-doubt': {
    readonly server: string | undefined;
    readonly epoch: number | undefined;
    readonly message: string;
  };
}

/** The name of an event. */
export type EventName = keyof ClusterEvents;
/** What is called for an event; what it throws becomes a process warning. */
export type EventListener<E extends EventName> = (event: ClusterEvents[E]) => void;
