import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls';
import type { MemcachedPlace, MemcachedTarget } from './memcached-target.ts';
import type { RedisTarget } from './redis-target.ts';

/** A server's address: `'host'`, `'host:port'`, `'[::1]:3306'`, a socket path (`'/run/mysqld/mysqld.sock'`), a `mysql://` URL, or an object. */
export type Address = string | AddressObject;

/** A server by host and port, or by its Unix socket. */
export interface AddressObject {
  readonly host?: string;
  /** Default 3306. */
  readonly port?: number;
  /** A Unix socket instead of host and port. */
  readonly socketPath?: string;
}

/** The address of the primary, which is the keepalived VIP. */
export type PrimaryAddress =
  | string
  | (AddressObject & {
      /** `true` when a proxy (ProxySQL, HAProxy) answers there: another identity is then no failover, and no query is killed over it. Default `false`. */
      readonly proxied?: boolean;
    });

/** A replica, a balanced read address or a DNS name that stands for many replicas. */
export type ReplicaAddress = string | ReplicaAddressObject | ReplicaDnsObject;

/** What may be said of a replica besides its address. */
export interface ReplicaSettings {
  /** Share of the reads relative to the other replicas, 1 to 100. Default 1. */
  readonly weight?: number;
  /** Reads prefer replicas of `balance.zone`. */
  readonly zone?: string;
  /** What events, errors and `status()` call it. Default `host:port`. */
  readonly name?: string;
  /** Login for this replica when it differs. */
  readonly user?: string;
  readonly password?: Password;
}

/** One replica, or one address with many servers behind it. */
export interface ReplicaAddressObject extends AddressObject, ReplicaSettings {
  /** `true` when many servers answer at this address (LVS, HAProxy, F5). Default `false`. */
  readonly balanced?: boolean;
}

/** A name that stands for many replicas, which come and go. */
export interface ReplicaDnsObject extends Omit<ReplicaSettings, 'name'> {
  /** Every address this name resolves to is a replica of its own. */
  readonly dns: string;
  readonly port?: number;
  /** How often the name is resolved again. Default 30 000. */
  readonly refreshMs?: number;
}

/** A password, or a function that is asked for it at every login (rotated secrets, IAM tokens). */
export type Password = string | (() => string | Promise<string>);

/** `true`: TLS with verification against the system's authorities; an object: the options of `tls.connect` that matter here. */
export type Tls = boolean | TlsOptions;

/** What `tls.connect` is given; certificates are verified unless that is switched off here. */
export interface TlsOptions
  extends Pick<
    TlsConnectionOptions,
    'ca' | 'cert' | 'key' | 'passphrase' | 'ciphers' | 'minVersion' | 'maxVersion'
  > {
  /** Refuse a certificate that no known authority signed. Default `true`. */
  readonly rejectUnauthorized?: boolean;
  /** Refuse a certificate that is not for the host's name. Default `true`. */
  readonly verifyIdentity?: boolean;
}

/** A value that a session variable can be set to; `true` is 1. */
export type SessionVariableValue = string | number | boolean | null;

/** The connections to one server. */
export interface PoolConfig {
  /** Most connections per server. */
  readonly max?: number;
  /** Connections kept open even when nothing happens. */
  readonly min?: number;
  /** A connection above `min` that has been idle this long is closed. */
  readonly idleMs?: number;
  /** A connection this old is closed when it comes back; varied by 10 % so that they do not all end at once. 0 is never. */
  readonly maxLifetimeMs?: number;
  /** Most operations waiting for a connection; more are turned away with `QueueFullError`. */
  readonly maxWaiting?: number;
}

/** A connection as `onConnect` sees it. */
export interface ConnectingSession {
  readonly role: 'primary' | 'replica';
  readonly server: string;
  /** Runs a statement on the new session; values are bound by the server. */
  query(sql: string, params?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

/** What {@link createCluster} takes. Durations are milliseconds. Defaults: docs/configuration.md. */
export interface ClusterConfig {
  /** The VIP. */
  readonly primary: PrimaryAddress;
  readonly replicas?: readonly ReplicaAddress[];
  /** The masters' own addresses, beside the VIP: looked at, to see two writers; never written to. */
  readonly masters?: readonly Address[];
  readonly user?: string;
  readonly password?: Password;
  readonly database?: string;
  readonly ssl?: Tls;
  /** Login for all replicas when it differs: the documented account without write grants. */
  readonly replica?: { readonly user?: string; readonly password?: Password };
  /** Session time zone and the zone that DATETIME values are read in; only UTC offsets. Default `'+00:00'`. */
  readonly timezone?: string;
  readonly charset?: string;
  readonly bigint?: 'auto' | 'bigint' | 'string';
  readonly dates?: 'date' | 'string';
  /** Set on every new session, after vipsql's own. */
  readonly sessionVariables?: Readonly<Record<string, SessionVariableValue>>;
  /** Runs on every new session before its first use; a rejection discards the connection. */
  readonly onConnect?: (session: ConnectingSession) => void | Promise<void>;
  readonly pool?: PoolConfig & { readonly primary?: PoolConfig; readonly replica?: PoolConfig };
  /** The deadline of each operation, over everything it waits for. 0 is not allowed. */
  readonly timeoutMs?: number;
  /** The deadline of each transaction, retries included. */
  readonly transactionTimeoutMs?: number;
  /** Limit of one TCP connect. */
  readonly tcpTimeoutMs?: number;
  /** How long a server may be silent during a login: greeting, TLS, authentication and session set-up. */
  readonly loginTimeoutMs?: number;
  readonly failover?: {
    /** How often the watch asks the VIP who answers. */
    readonly heartbeatMs?: number;
    /** Most primary operations that wait while no primary answers. */
    readonly maxWaiting?: number;
    /** Longest wait for a new primary to hold what this process has seen acknowledged. 0: it opens unasked. */
    readonly catchUpMs?: number;
    /** What to do when two masters were seen to write: tell, or let writes wait until it is 10 s ago. */
    readonly twoWriters?: 'warn' | 'stop';
  };
  readonly retry?: {
    /** Most tries of one operation, the first included; waiting for a failover is not a try. 1 switches retries off. */
    readonly attempts?: number;
    /** Retries allowed as a fraction of operations, cluster-wide. 0 switches retries off. */
    readonly budget?: number;
    /** First back-off; doubles each time, with full jitter. */
    readonly backoffMs?: number;
  };
  readonly balance?: {
    readonly policy?: 'p2c' | 'round-robin' | 'least-connections' | 'random';
    /** Prefer replicas of this zone while one of them serves. */
    readonly zone?: string;
    /** Weight with which the primary serves replica reads as one more candidate. 0: only as fallback. */
    readonly primaryWeight?: number;
    /** A replica that returns takes its full share after this long. */
    readonly rampUpMs?: number;
  };
  readonly breaker?: {
    /** Share of failed reads (0 to 1) that opens it. */
    readonly errorRate?: number;
    /** Fewest reads within the window before the share counts. */
    readonly minimumReads?: number;
    readonly windowMs?: number;
    /** How long it stays open before the monitor's probe may close it. */
    readonly resetMs?: number;
  };
  readonly monitor?: {
    /** How often each replica is asked whether it lives. */
    readonly intervalMs?: number;
    /** A probe unanswered this long marks the replica down. */
    readonly timeoutMs?: number;
  };
  readonly consistency?: {
    /** Longest wait for a replica to get to what a read must see; then the primary. 0: the primary at once. */
    readonly waitMs?: number;
  };
  readonly lag?: {
    /** A replica that may be older than this takes no reads until it has caught up. 0: no limit. */
    readonly maxLagMs?: number;
    /** How often the lag is read, and the heartbeat written. */
    readonly intervalMs?: number;
    /** A table as pt-heartbeat writes it, to read the lag from: `'heartbeat'` in `database`, or `'schema.table'`. */
    readonly heartbeatTable?: string;
    /** vipsql writes that table itself, on the primary. Default `false`. */
    readonly writeHeartbeat?: boolean;
  };
  readonly tokens?: {
    /** Signs tokens; of several the first signs, and all are accepted. At least 16 characters each. */
    readonly secret?: string | readonly string[];
    /** What becomes of a token that is broken or forged. Default `'throw'`. */
    readonly onInvalid?: 'throw' | 'ignore';
  };
  /** What a replica read does when no replica may serve. */
  readonly fallback?: 'primary' | 'error';
  /** Most replica reads that run on the primary at once. */
  readonly fallbackMax?: number;
  /** Tables never read from a replica: `'stock'`, `'shop.stock'`, `'inventory_*'`. */
  readonly primaryOnly?: readonly string[];
  /** What `db.transaction(fn, { exactlyOnce })` keeps its ids in, and whom it asks about a lost primary. */
  readonly exactlyOnce?: {
    /** The commit ledger: `'vipsql_commit'` in `database`, or `'schema.table'`. */
    readonly table?: string;
    /** How long an id is kept: a repeat with the same key is recognised that long. 0: vipsql deletes none. */
    readonly retentionMs?: number;
    /** Your word that this server will never again bring a commit to the others; asked once per COMMIT in doubt. */
    readonly isFenced?: (server: LostServer) => boolean | Promise<boolean>;
  };
  /** What `db.replica().cached(…)` keeps its answers in. */
  readonly cache?: CacheConfig;
}

/** The read-through cache of `db.replica().cached(…)` and `db.cache`. */
export interface CacheConfig {
  /** Default: none; without `memcached`, too, values are kept in this process, where no other process can invalidate them. */
  readonly redis?: RedisTarget;
  /** One memcached, 1.6.18 or newer, instead of Redis. Without `l1`. */
  readonly memcached?: MemcachedTarget;
  /** Clusters with the same one share their values: the same database for all of them. Default `'main'`. */
  readonly namespace?: string;
  /** How long a value is served, less up to 10 %. */
  readonly ttlMs?: number;
  /** The same for a result without rows, and for null and undefined. */
  readonly negativeTtlMs?: number;
  /** How long a value that has expired may be served while it is loaded again; never one that was invalidated. */
  readonly staleMs?: number;
  /** How eagerly a value that expires soon is loaded again, in times its last load took. 0: not before it has expired. */
  readonly earlyRefresh?: number;
  /** Longest wait for an answer of the cache, for a read. */
  readonly readBudgetMs?: number;
  /** The same for an invalidation. */
  readonly writeBudgetMs?: number;
  /** Most reads that run past the cache at once. */
  readonly maxBypass?: number;
  /** A value that is larger when stored is not. */
  readonly maxValueBytes?: number;
  /** A value from this size on is stored compressed. 0: none is. */
  readonly compressBytes?: number;
  /** Tables that cached reads may follow: each write to one of them through vipsql tells the cache, before and after. */
  readonly tables?: readonly string[];
  /** Whether `db.cache.clear` can be used; each read then looks at one record more. The same in all processes. Default `false`. */
  readonly clearable?: boolean;
  /** Default: none, and each hit asks Redis. `{}` for the defaults. */
  readonly l1?: L1Config;
  /** What becomes of a write whose invalidation cannot be announced, and of `db.cache.invalidate` that is not delivered. */
  readonly onInvalidationFailure?: 'report' | 'throw';
}

/** Copies of cached values in this process, which need no question to Redis. */
export interface L1Config {
  /** How long a copy is served. Every invalidation takes up to so much longer, in all processes of the namespace. */
  readonly copyMs?: number;
  /** Most memory that copies take, about. */
  readonly maxBytes?: number;
}

/** The server on which a COMMIT was left unanswered. */
export interface LostServer {
  /** `@@server_uuid`; empty on MariaDB. */
  readonly uuid: string;
  readonly serverId: number;
  readonly hostname: string;
  readonly port: number;
  /** The epoch that it was the primary of. */
  readonly epoch: number | undefined;
}

/** An address with nothing left to guess. */
export type Endpoint =
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly name: string;
      /** The name that the server's certificate is for, when that is not `host`. */
      readonly tlsName?: string;
    }
  | { readonly kind: 'socket'; readonly path: string; readonly name: string };

export interface Credentials {
  readonly user: string;
  readonly password: Password | undefined;
}

export interface ReplicaSpec {
  readonly weight: number;
  readonly zone: string | undefined;
  readonly credentials: Credentials;
}

/** One entry of `replicas`, resolved. */
export type ReplicaSource =
  | (ReplicaSpec & { readonly kind: 'fixed'; readonly endpoint: Endpoint; readonly balanced: boolean })
  | (ReplicaSpec & {
      readonly kind: 'dns';
      readonly dns: string;
      readonly port: number;
      readonly refreshMs: number;
    });

/** A master by its own address, resolved. */
export interface MasterSource {
  readonly endpoint: Endpoint;
  readonly credentials: Credentials;
}

export type ResolvedPool = Readonly<Required<PoolConfig>>;

/** How values are read and sessions are set up: the same for every connection. */
export interface SessionConfig {
  readonly database: string | undefined;
  /** `undefined`: no TLS. */
  readonly ssl: TlsOptions | undefined;
  readonly timezone: string;
  readonly charset: string;
  readonly bigint: 'auto' | 'bigint' | 'string';
  readonly dates: 'date' | 'string';
  readonly sessionVariables: Readonly<Record<string, SessionVariableValue>>;
  readonly onConnect: ClusterConfig['onConnect'];
}

/** The cache after checking. */
export interface ResolvedCache extends Omit<Required<CacheConfig>, 'redis' | 'memcached' | 'l1'> {
  readonly l1: Required<L1Config> | undefined;
  /** Gives what was configured, as it was. Without it and `memcached` values are kept in this process. */
  readonly redis: (() => RedisTarget) | undefined;
  readonly memcached: MemcachedPlace | undefined;
}

/** The configuration after checking: complete and frozen. */
export interface ResolvedConfig {
  readonly primary: {
    readonly endpoint: Endpoint;
    readonly credentials: Credentials;
    readonly proxied: boolean;
  };
  readonly replicas: readonly ReplicaSource[];
  readonly masters: readonly MasterSource[];
  readonly session: SessionConfig;
  readonly pool: { readonly primary: ResolvedPool; readonly replica: ResolvedPool };
  readonly timeoutMs: number;
  readonly transactionTimeoutMs: number;
  readonly tcpTimeoutMs: number;
  readonly loginTimeoutMs: number;
  readonly failover: {
    readonly heartbeatMs: number;
    readonly maxWaiting: number;
    readonly catchUpMs: number;
    readonly twoWriters: 'warn' | 'stop';
  };
  readonly retry: { readonly attempts: number; readonly budget: number; readonly backoffMs: number };
  readonly balance: {
    readonly policy: 'p2c' | 'round-robin' | 'least-connections' | 'random';
    readonly zone: string | undefined;
    readonly primaryWeight: number;
    readonly rampUpMs: number;
  };
  readonly breaker: {
    readonly errorRate: number;
    readonly minimumReads: number;
    readonly windowMs: number;
    readonly resetMs: number;
  };
  readonly monitor: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly consistency: { readonly waitMs: number };
  readonly lag: {
    /** 0: no limit. */
    readonly maxLagMs: number;
    readonly intervalMs: number;
    /** `undefined`: lag is read from the replication status. */
    readonly heartbeatTable: { readonly schema: string; readonly name: string } | undefined;
    readonly writeHeartbeat: boolean;
  };
  readonly tokens: { readonly secret: readonly string[]; readonly onInvalid: 'throw' | 'ignore' };
  readonly fallback: 'primary' | 'error';
  readonly fallbackMax: number;
  readonly primaryOnly: readonly string[];
  readonly exactlyOnce: {
    readonly table: { readonly schema: string | undefined; readonly name: string };
    /** 0: nothing is deleted. */
    readonly retentionMs: number;
    readonly isFenced: ((server: LostServer) => boolean | Promise<boolean>) | undefined;
  };
  readonly cache: ResolvedCache | undefined;
}
