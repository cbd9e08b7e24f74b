// Longer than other files because it is one table: every option stands here and nowhere else.

/** What an option is, for the schema, the error texts and docs/configuration.md. */
export interface OptionFacts {
  /** As the docs write it. */
  readonly type: string;
  /** What holds when it is absent; `undefined` when nothing does. Text when it depends on other options. */
  readonly default: string | number | boolean | undefined;
  /** One sentence: what it changes. */
  readonly effect: string;
  /** How to do without it; `-` where that is impossible. */
  readonly off: string;
}

/** A number, with the bounds outside of which it is surely a mistake. */
export interface NumberFacts extends OptionFacts {
  readonly type: 'ms' | 'count' | 'ratio';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** A second value that is allowed below `min`, and means "off". */
  readonly orZero?: true;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

function ms(value: number, min: number, max: number, effect: string, off = '-'): NumberFacts {
  return { type: 'ms', default: value, min, max, effect, off };
}

function msOrZero(value: number, min: number, max: number, effect: string, off: string): NumberFacts {
  return { type: 'ms', default: value, min, max, effect, off, orZero: true };
}

function count(value: number, min: number, max: number, effect: string, off = '-'): NumberFacts {
  return { type: 'count', default: value, min, max, effect, off };
}

function countOrZero(value: number, min: number, max: number, effect: string, off: string): NumberFacts {
  return { type: 'count', default: value, min, max, effect, off, orZero: true };
}

function ratio(value: number, min: number, max: number, effect: string, off = '-'): NumberFacts {
  return { type: 'ratio', default: value, min, max, effect, off };
}

/** Every option that is a number. The only place where its default and bounds are written. */
export const numberOptions = {
  'replicas[].port': count(3306, 1, 65_535, 'Port of the replica.'),
  'replicas[].weight': count(1, 1, 100, 'Share of the reads relative to the other replicas.'),
  'replicas[].refreshMs': ms(30_000, 100, dayMs, 'How often a `dns` name is resolved again.'),
  'primary.port': count(3306, 1, 65_535, 'Port of the primary.'),
  'masters[].port': count(3306, 1, 65_535, 'Port of the master.'),
  'pool.max': count(10, 1, 10_000, 'Most connections per server.'),
  'pool.min': count(
    2,
    0,
    10_000,
    'Connections kept open when nothing happens; never more than `max`.',
    '`0`',
  ),
  'pool.idleMs': ms(
    60_000,
    100,
    dayMs,
    'A connection above `min` that has been idle this long is closed.',
    '`min` = `max`',
  ),
  'pool.maxLifetimeMs': msOrZero(
    1_800_000,
    1_000,
    7 * dayMs,
    'A connection this old (varied by 10 %) is closed when it comes back.',
    '`0`: connections live on',
  ),
  'pool.maxWaiting': count(
    1_000,
    0,
    1_000_000,
    'Most operations waiting for a connection; more get `QueueFullError`.',
    '`0`: nobody waits',
  ),
  timeoutMs: ms(10_000, 50, dayMs, 'Deadline of each operation, over everything that it waits for.'),
  transactionTimeoutMs: ms(30_000, 50, dayMs, 'Deadline of each transaction, its retries included.'),
  tcpTimeoutMs: ms(300, 20, 60_000, 'Limit of one TCP connect; the next is begun before it is over.'),
  loginTimeoutMs: ms(
    5_000,
    100,
    600_000,
    'How long a server may be silent during a login: greeting, TLS, authentication, session set-up. Ten times that for all of it.',
  ),
  'failover.heartbeatMs': ms(500, 20, 60_000, 'How often the VIP is asked who answers there.'),
  'failover.maxWaiting': count(
    10_000,
    0,
    1_000_000,
    'Most primary operations that wait while no primary answers; more get `QueueFullError`.',
    '`0`: they fail at once',
  ),
  'failover.catchUpMs': msOrZero(
    500,
    20,
    60_000,
    'Longest wait for a new primary to hold what this process has seen acknowledged.',
    '`0`: it opens unasked',
  ),
  'retry.attempts': count(3, 1, 20, 'Most tries of one operation, the first included.', '`1`: no retries'),
  'retry.budget': ratio(0.2, 0, 1, 'Retries as a share of all operations of the cluster.', '`0`: no retries'),
  'retry.backoffMs': ms(
    20,
    1,
    10_000,
    'Longest wait before the second try; doubles each time, the wait is random below it.',
  ),
  'balance.primaryWeight': ratio(
    0,
    0,
    100,
    'Weight with which the primary serves replica reads as one more candidate.',
    '`0`: only as fallback',
  ),
  'balance.rampUpMs': msOrZero(
    10_000,
    100,
    hourMs,
    'A replica that returns takes its full share after this long.',
    '`0`: at once',
  ),
  'breaker.errorRate': ratio(
    0.5,
    0.01,
    1,
    "Share of failed reads that opens a replica's breaker.",
    '`1` and a high `minimumReads`',
  ),
  'breaker.minimumReads': count(5, 1, 100_000, 'Fewest reads within the window before the share counts.'),
  'breaker.windowMs': ms(5_000, 100, hourMs, 'How far back failed reads are counted.'),
  'breaker.resetMs': ms(
    1_000,
    20,
    hourMs,
    "How long the breaker stays open before the monitor's probe may close it.",
  ),
  'monitor.intervalMs': ms(
    1_000,
    50,
    hourMs,
    'How often each replica is asked whether it lives; masters are looked at as often, and at least every second.',
  ),
  'monitor.timeoutMs': ms(1_000, 20, 60_000, 'A probe unanswered this long marks the replica down.'),
  'consistency.waitMs': msOrZero(
    500,
    10,
    60_000,
    'Longest wait for a replica to get to what a read must see; then the primary.',
    '`0`: the primary at once',
  ),
  'lag.maxLagMs': msOrZero(
    0,
    100,
    dayMs,
    'A replica that may be older than this takes no reads until it has caught up.',
    '`0`: no limit',
  ),
  'lag.intervalMs': ms(
    1_000,
    50,
    60_000,
    'How often the lag is read, and the heartbeat written; nothing is read before a limit or a heartbeat table asks for it.',
  ),
  fallbackMax: count(
    5,
    1,
    10_000,
    'Most replica reads that run on the primary at once.',
    "`fallback: 'error'`",
  ),
  'exactlyOnce.retentionMs': msOrZero(
    7 * dayMs,
    hourMs,
    366 * dayMs,
    'How long the commit ledger keeps an id, and a repeat with the same key is recognised.',
    '`0`: vipsql deletes no row',
  ),
  'cache.ttlMs': ms(30_000, 100, 7 * dayMs, 'How long a value is served, less up to 10 % at random.'),
  'cache.negativeTtlMs': ms(
    5_000,
    100,
    7 * dayMs,
    'The same for a result without rows, and for null and undefined; never more than `ttlMs`.',
  ),
  'cache.staleMs': msOrZero(
    0,
    100,
    7 * dayMs,
    'How long a value that has expired may be served while it is loaded again; never one that was invalidated.',
    '`0`: not at all',
  ),
  'cache.earlyRefresh': ratio(
    1,
    0,
    10,
    'How eagerly a value that expires soon is loaded again while it is served: the mean lead, in times that its last load took.',
    '`0`: not before it has expired',
  ),
  'cache.readBudgetMs': ms(
    50,
    5,
    10_000,
    'Longest wait of a read for an answer of the cache; then it goes to the database.',
  ),
  'cache.writeBudgetMs': ms(
    500,
    10,
    60_000,
    'Longest wait of an invalidation, or of a store, for the cache.',
  ),
  'cache.maxBypass': count(
    20,
    1,
    10_000,
    'Most cached reads that run on the database past the cache at once, as while it is away.',
  ),
  'cache.maxValueBytes': count(
    1_048_576,
    1_024,
    536_870_912,
    'A value that takes more room, compressed, is not stored.',
  ),
  'cache.l1.copyMs': ms(
    50,
    5,
    500,
    'How long a copy is served without asking Redis. Every invalidation takes up to so much longer, in all processes of the namespace.',
  ),
  'cache.l1.maxBytes': count(
    33_554_432,
    65_536,
    17_179_869_184,
    'Most memory that copies take, about; the oldest make room.',
  ),
  'cache.compressBytes': countOrZero(
    16_384,
    256,
    536_870_912,
    'A value is stored compressed from this size on.',
    '`0`: none is',
  ),
} as const satisfies Record<string, NumberFacts>;

export type NumberOption = keyof typeof numberOptions;

const password = 'string or function';

/** Every option that is no number; `[]` stands for "each entry of the list". */
export const otherOptions = {
  primary: { type: 'address', default: undefined, effect: 'The keepalived VIP.', off: '-' },
  'primary.host': { type: 'string', default: undefined, effect: 'Host name or IP address.', off: '-' },
  'primary.socketPath': {
    type: 'string',
    default: undefined,
    effect: 'A Unix socket instead of host and port.',
    off: 'leave it out',
  },
  'primary.proxied': {
    type: 'boolean',
    default: false,
    effect: 'A proxy answers there: another identity is then no failover, and no query is killed over it.',
    off: '`false`',
  },
  replicas: {
    type: 'list of addresses',
    default: '[]',
    effect: 'Where reads of `db.replica()` go.',
    off: '`[]`: to the primary',
  },
  'replicas[].host': { type: 'string', default: undefined, effect: 'Host name or IP address.', off: '-' },
  'replicas[].socketPath': {
    type: 'string',
    default: undefined,
    effect: 'A Unix socket instead of host and port.',
    off: 'leave it out',
  },
  'replicas[].dns': {
    type: 'string',
    default: undefined,
    effect: 'Each address that this name resolves to is a replica of its own.',
    off: 'leave it out',
  },
  'replicas[].balanced': {
    type: 'boolean',
    default: false,
    effect: 'Many servers answer at this address (LVS, HAProxy, F5).',
    off: '`false`',
  },
  'replicas[].zone': {
    type: 'string',
    default: undefined,
    effect: 'Where the replica is, for `balance.zone`.',
    off: 'leave it out',
  },
  'replicas[].name': {
    type: 'string',
    default: 'host:port',
    effect: 'What events, errors and `status()` call the replica.',
    off: '-',
  },
  'replicas[].user': {
    type: 'string',
    default: 'replica.user',
    effect: 'Login for this replica.',
    off: 'leave it out',
  },
  'replicas[].password': {
    type: password,
    default: 'replica.password',
    effect: 'Its password.',
    off: 'leave it out',
  },
  masters: {
    type: 'list of addresses',
    default: '[]',
    effect: "The masters' own addresses: looked at, to see two writers; never written to.",
    off: '`[]`',
  },
  'masters[].host': { type: 'string', default: undefined, effect: 'Host name or IP address.', off: '-' },
  'masters[].socketPath': {
    type: 'string',
    default: undefined,
    effect: 'A Unix socket instead of host and port.',
    off: 'leave it out',
  },
  user: {
    type: 'string',
    default: undefined,
    effect: 'Login for all servers; required here or in the URL of `primary`.',
    off: '-',
  },
  password: {
    type: password,
    default: undefined,
    effect: 'Its password, or a function that is asked at every login and may be async.',
    off: 'leave it out: none',
  },
  database: {
    type: 'string',
    default: undefined,
    effect: 'The default database of every session.',
    off: 'leave it out',
  },
  ssl: {
    type: 'boolean or object',
    default: false,
    effect: '`true`: TLS with certificate and host name verified against the authorities that Node knows.',
    off: '`false`',
  },
  'ssl.ca': {
    type: 'PEM',
    default: undefined,
    effect: 'Authorities to trust instead of those that Node knows.',
    off: 'leave it out',
  },
  'ssl.cert': {
    type: 'PEM',
    default: undefined,
    effect: "The client's own certificate.",
    off: 'leave it out',
  },
  'ssl.key': { type: 'PEM', default: undefined, effect: 'Its private key.', off: 'leave it out' },
  'ssl.passphrase': {
    type: 'string',
    default: undefined,
    effect: 'The passphrase of the key.',
    off: 'leave it out',
  },
  'ssl.ciphers': {
    type: 'string',
    default: undefined,
    effect: 'Cipher suites, as OpenSSL writes them.',
    off: 'leave it out',
  },
  'ssl.minVersion': {
    type: 'string',
    default: undefined,
    effect: 'Lowest TLS version.',
    off: 'leave it out',
  },
  'ssl.maxVersion': {
    type: 'string',
    default: undefined,
    effect: 'Highest TLS version.',
    off: 'leave it out',
  },
  'ssl.rejectUnauthorized': {
    type: 'boolean',
    default: true,
    effect: 'Refuses a certificate that no known authority signed.',
    off: '`false`: anyone in the middle can read along',
  },
  'ssl.verifyIdentity': {
    type: 'boolean',
    default: 'rejectUnauthorized',
    effect: 'Refuses a certificate that is not for the host that is connected to.',
    off: '`false`',
  },
  replica: {
    type: 'object',
    default: undefined,
    effect: 'Login for all replicas: the account without write grants.',
    off: 'leave it out',
  },
  'replica.user': { type: 'string', default: 'user', effect: 'Login for all replicas.', off: 'leave it out' },
  'replica.password': { type: password, default: 'password', effect: 'Its password.', off: 'leave it out' },
  timezone: {
    type: 'UTC offset',
    default: '+00:00',
    effect: 'Time zone of every session, and the one that DATETIME values are read in.',
    off: '-',
  },
  charset: {
    type: 'utf8mb4 or one of its collations',
    default: 'utf8mb4',
    effect:
      'Character set and collation of every connection; `utf8mb4` is `utf8mb4_general_ci`, which both vendors have.',
    off: '-',
  },
  bigint: {
    type: "'auto', 'bigint' or 'string'",
    default: 'auto',
    effect:
      'BIGINT becomes a number while it is safe and else a bigint; always a bigint; or always a string.',
    off: '-',
  },
  dates: {
    type: "'date' or 'string'",
    default: 'date',
    effect: 'DATETIME and TIMESTAMP become a Date or stay text.',
    off: '-',
  },
  sessionVariables: {
    type: 'object',
    default: '{}',
    effect: "Set on every new session, after vipsql's own.",
    off: '`{}`',
  },
  onConnect: {
    type: 'function',
    default: undefined,
    effect: 'Runs on every new session before its first use; a rejection discards the connection.',
    off: 'leave it out',
  },
  pool: { type: 'object', default: '{}', effect: 'Connections per server.', off: '-' },
  'pool.primary': {
    type: 'object',
    default: '{}',
    effect: 'The same five options, for the primary only.',
    off: 'leave it out',
  },
  'pool.replica': {
    type: 'object',
    default: '{}',
    effect: 'The same five options, for replicas only.',
    off: 'leave it out',
  },
  failover: { type: 'object', default: '{}', effect: 'The watch over the VIP.', off: '-' },
  'failover.twoWriters': {
    type: "'warn' or 'stop'",
    default: 'warn',
    effect:
      'What happens when two masters were seen to write: the event alone, or writes wait as well until the last evidence is 10 s old.',
    off: "`'warn'`",
  },
  retry: {
    type: 'object',
    default: '{}',
    effect: 'Repeating what failed and may be repeated.',
    off: '`{ attempts: 1 }`',
  },
  balance: { type: 'object', default: '{}', effect: 'Which replica serves a read.', off: '-' },
  'balance.policy': {
    type: "'p2c', 'round-robin', 'least-connections' or 'random'",
    default: 'p2c',
    effect: 'How a replica is chosen; `p2c` takes the better of two random ones by latency and load.',
    off: '-',
  },
  'balance.zone': {
    type: 'string',
    default: undefined,
    effect: 'Reads prefer replicas of this zone while one of them serves.',
    off: 'leave it out',
  },
  breaker: { type: 'object', default: '{}', effect: 'Takes a failing replica out of the choice.', off: '-' },
  monitor: { type: 'object', default: '{}', effect: 'The probes of replicas and masters.', off: '-' },
  fallback: {
    type: "'primary' or 'error'",
    default: 'primary',
    effect: 'What a replica read does when no replica may serve.',
    off: "`'error'`: it fails with `NoReplicaError`",
  },
  consistency: { type: 'object', default: '{}', effect: 'Reads that must see something.', off: '-' },
  lag: { type: 'object', default: '{}', effect: 'How old a replica may be.', off: '-' },
  'lag.heartbeatTable': {
    type: 'table',
    default: undefined,
    effect: "Lag is read from this table, as pt-heartbeat writes it: one of `database`, or `'schema.table'`.",
    off: 'leave it out: from the replication status',
  },
  'lag.writeHeartbeat': {
    type: 'boolean',
    default: false,
    effect: 'Writes that table too, on the primary, every `lag.intervalMs`, where nobody else does.',
    off: '`false`',
  },
  tokens: { type: 'object', default: '{}', effect: 'What carries a session to the next one.', off: '-' },
  'tokens.secret': {
    type: 'string or list of strings',
    default: undefined,
    effect:
      'Signs tokens, and accepts those that it has signed; of several the first signs, all are accepted.',
    off: 'leave it out: anyone can make one',
  },
  'tokens.onInvalid': {
    type: "'throw' or 'ignore'",
    default: 'throw',
    effect:
      'What becomes of a token that is broken or forged: `InvalidTokenError`, or as if there were none.',
    off: '-',
  },
  primaryOnly: {
    type: 'list of tables',
    default: '[]',
    effect: "Tables never read from a replica: `'stock'`, `'shop.stock'`, `'inventory_*'`.",
    off: '`[]`',
  },
  exactlyOnce: {
    type: 'object',
    default: '{}',
    effect: 'The commit ledger of `db.transaction(fn, { exactlyOnce })`.',
    off: '-',
  },
  'exactlyOnce.table': {
    type: 'table',
    default: 'vipsql_commit',
    effect: "The ledger: a table of `database`, or `'schema.table'`.",
    off: '-',
  },
  'exactlyOnce.isFenced': {
    type: 'function',
    default: undefined,
    effect:
      'Your word that a lost primary will never again bring a commit to the others; asked once per COMMIT in doubt.',
    off: 'leave it out',
  },
  cache: {
    type: 'object',
    default: undefined,
    effect: 'The read-through cache of `db.replica().cached(…)` and `db.cache`.',
    off: 'leave it out',
  },
  'cache.redis': {
    type: 'URL, options or client of ioredis',
    default: undefined,
    effect: 'One Redis, Sentinels, or with `nodes` a Redis Cluster; from a client vipsql makes its own.',
    off: 'leave it out: without `memcached`, too, values are kept in this process, and no other process can invalidate them',
  },
  'cache.memcached': {
    type: 'address',
    default: undefined,
    effect: "One memcached instead of Redis: `'host:port'` or `{ host, port }`. Without `l1`.",
    off: 'leave it out',
  },
  'cache.tables': {
    type: 'list of tables',
    default: '[]',
    effect:
      'Tables that cached reads may follow, as in `primaryOnly`: each write to one of them through vipsql costs two round trips to the cache. The same in all processes.',
    off: '`[]`',
  },
  'cache.clearable': {
    type: 'boolean',
    default: 'false',
    effect:
      'Whether `db.cache.clear` can be used: each read looks at one record more. The same in all processes.',
    off: '`false`',
  },
  'cache.l1': {
    type: 'object',
    default: undefined,
    effect: 'Copies of values in this process. `{}` for the defaults.',
    off: 'leave it out: each hit asks Redis',
  },
  'cache.namespace': {
    type: 'string',
    default: 'main',
    effect: 'Clusters with the same one share their values; use another one for another database.',
    off: '-',
  },
  'cache.onInvalidationFailure': {
    type: "'report' or 'throw'",
    default: 'report',
    effect:
      'What an invalidation does that cannot be delivered: the event alone, or `CacheInvalidationError`, before COMMIT, too, which is then not sent.',
    off: '-',
  },
} as const satisfies Record<string, OptionFacts>;

/** Every option, by its path. */
export const options: Readonly<Record<string, OptionFacts>> = Object.freeze({
  ...otherOptions,
  ...numberOptions,
});
