import { z } from 'zod';
import { hostProblem, isProblem, parseAddress } from './address.ts';
import { type NumberFacts, type NumberOption, numberOptions } from './defaults.ts';
import { memcachedTargetProblem } from './memcached-target.ts';
import { redisTargetProblem } from './redis-target.ts';
import { charsetRule, collationOf, tablePatternProblem, timezoneRule, utcOffset } from './session-values.ts';
import { variableProblem } from './session-variables.ts';

/** Whether a number may be given for an option. */
export function isAllowedNumber(facts: NumberFacts, value: number): boolean {
  if (value === 0 && facts.orZero === true) return true;
  return (facts.type === 'ratio' || Number.isInteger(value)) && value >= facts.min && value <= facts.max;
}

/** What a number has to be, with a hint for seconds given as milliseconds. */
export function numberRule(facts: NumberFacts, value: unknown): string {
  const { type, min, max, orZero } = facts;
  const what =
    type === 'ms' ? 'a whole number of milliseconds' : type === 'count' ? 'a whole number' : 'a number';
  const rule = `must be ${what} from ${min} to ${max}${orZero === true ? ', or 0' : ''}`;
  const seconds =
    type === 'ms' &&
    typeof value === 'number' &&
    value > 0 &&
    value < min &&
    isAllowedNumber(facts, value * 1000);
  return seconds ? `${rule}; ${value} seconds are ${value * 1000}` : rule;
}

function number(path: NumberOption): z.ZodType<number | undefined> {
  const facts: NumberFacts = numberOptions[path];
  const error = ({ input }: { readonly input?: unknown }): string => numberRule(facts, input);
  return z
    .number({ error })
    .refine((value) => isAllowedNumber(facts, value), { error })
    .optional();
}

function text(
  rule: string,
  test: (value: string) => boolean = (value) => value !== '',
): z.ZodType<string | undefined> {
  return z.string({ error: rule }).refine(test, { error: rule }).optional();
}

function choice<const T extends string>(...values: readonly T[]): z.ZodType<T | undefined> {
  return z.enum(values, { error: `must be ${values.map((value) => `'${value}'`).join(' or ')}` }).optional();
}

const flag = z.boolean({ error: 'must be true or false' }).optional();

function section<T extends z.core.$ZodLooseShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  return z.strictObject(shape, { error: objectError });
}

function objectError({ code }: { readonly code?: string | undefined }): string | undefined {
  return code === 'invalid_type' ? 'must be an object' : undefined;
}

const password = z
  .custom<string | (() => string | Promise<string>)>(
    (value) => typeof value === 'string' || typeof value === 'function',
    {
      error: 'must be a text or a function',
    },
  )
  .optional();

const user = text('must be a text that is not empty');

const host = z
  .string({ error: 'must be a host name or an IP address' })
  .superRefine((value, context) => {
    const rule = hostProblem(value);
    if (rule !== undefined) context.addIssue({ code: 'custom', message: rule });
  })
  .optional();

const socketPath = text("must be an absolute path, as '/run/mysqld/mysqld.sock'", (value) =>
  value.startsWith('/'),
);

/** Shorter ones can be tried out. */
const shortestSecret = 16;

/** Checks an entry by the schema that its shape asks for, and passes it on unchanged. */
function byShape(pick: (value: unknown) => z.ZodType | string): z.ZodType<unknown> {
  return z.unknown().superRefine((value, context) => {
    const schema = pick(value);
    if (typeof schema === 'string') {
      context.addIssue({ code: 'custom', message: schema });
      return;
    }
    for (const issue of schema.safeParse(value).error?.issues ?? [])
      context.issues.push({ ...issue, input: value } as never);
  });
}

const addressText = z.string().superRefine((value, context) => {
  const parsed = parseAddress(value);
  if (isProblem(parsed)) context.addIssue({ code: 'custom', message: parsed.rule });
});

const hasAddress = [
  (value: { readonly host?: unknown; readonly socketPath?: unknown; readonly port?: unknown }): boolean =>
    (value.host === undefined) !== (value.socketPath === undefined) &&
    (value.socketPath === undefined || value.port === undefined),
  { error: 'must have either `host` (and `port`) or `socketPath`', when: () => true },
] as const;

const primaryObject = section({ host, port: number('primary.port'), socketPath, proxied: flag }).refine(
  ...hasAddress,
);

const masterObject = section({ host, port: number('masters[].port'), socketPath }).refine(...hasAddress);

const replicaSettings = {
  weight: number('replicas[].weight'),
  zone: text('must be a text that is not empty'),
  user,
  password,
};

const name = text('must be a text that is not empty');

const replicaObject = section({
  ...replicaSettings,
  host,
  port: number('replicas[].port'),
  socketPath,
  name,
  balanced: flag,
}).refine(...hasAddress);

const replicaDns = section({
  ...replicaSettings,
  dns: text('must be a host name', (value) => hostProblem(value) === undefined),
  port: number('replicas[].port'),
  refreshMs: number('replicas[].refreshMs'),
});

const addressRule = 'must be an address: a text or an object with `host`';

const primary = byShape((value) => {
  if (typeof value === 'string') return addressText;
  if (value === undefined) return 'must be given: the virtual IP of the masters';
  return isRecord(value) ? primaryObject : addressRule;
});

const replica = byShape((value) => {
  if (typeof value === 'string') return addressText;
  if (!isRecord(value)) return addressRule;
  return 'dns' in value ? replicaDns : replicaObject;
});

const master = byShape((value) => {
  if (typeof value === 'string') return addressText;
  return isRecord(value) ? masterObject : addressRule;
});

const pem = z
  .custom<unknown>(
    (value) => isPem(value) || (Array.isArray(value) && value.length > 0 && value.every(isPem)),
    {
      error: 'must be PEM text, binary data, or a list of these',
    },
  )
  .optional();

const tls = section({
  ca: pem,
  cert: pem,
  key: pem,
  passphrase: text('must be a text that is not empty'),
  ciphers: text('must be a text that is not empty'),
  minVersion: choice('TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'),
  maxVersion: choice('TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'),
  rejectUnauthorized: flag,
  verifyIdentity: flag,
});

const ssl = byShape((value) =>
  isRecord(value) ? tls : z.boolean({ error: 'must be true, false or an object' }),
).optional();

const secretRule = `must be a text of at least ${shortestSecret} characters, or a list of such texts`;

const tokenSecret = z
  .custom<string | readonly string[]>((value) => isSecret(value) || isSecretList(value), {
    error: secretRule,
  })
  .optional();

const poolNumbers = {
  max: number('pool.max'),
  min: number('pool.min'),
  idleMs: number('pool.idleMs'),
  maxLifetimeMs: number('pool.maxLifetimeMs'),
  maxWaiting: number('pool.maxWaiting'),
};

/** A name of at most 64 characters that needs no escaping, after a schema or alone. */
const tableName = /^(?:[\w$]{1,64}\.)?[\w$]{1,64}$/;

/** The shape of `createCluster`'s argument; rules that span several options are in `rules.ts`. */
export const clusterSchema = section({
  primary,
  replicas: z.array(replica, { error: 'must be a list of addresses' }).optional(),
  masters: z.array(master, { error: 'must be a list of addresses' }).optional(),
  user,
  password,
  database: user,
  ssl,
  replica: section({ user, password }).optional(),
  timezone: text(timezoneRule, (value) => utcOffset(value) !== undefined),
  charset: text(charsetRule, (value) => collationOf(value) !== undefined),
  bigint: choice('auto', 'bigint', 'string'),
  dates: choice('date', 'string'),
  sessionVariables: z
    .record(z.string(), z.unknown(), { error: 'must be an object' })
    .superRefine((variables, context) => {
      for (const [key, value] of Object.entries(variables)) {
        const rule = variableProblem(key, value);
        if (rule !== undefined) context.addIssue({ code: 'custom', message: rule, path: [key] });
      }
    })
    .optional(),
  onConnect: z
    .custom<() => void>((value) => typeof value === 'function', { error: 'must be a function' })
    .optional(),
  pool: section({
    ...poolNumbers,
    primary: section(poolNumbers).optional(),
    replica: section(poolNumbers).optional(),
  }).optional(),
  timeoutMs: number('timeoutMs'),
  transactionTimeoutMs: number('transactionTimeoutMs'),
  tcpTimeoutMs: number('tcpTimeoutMs'),
  loginTimeoutMs: number('loginTimeoutMs'),
  failover: section({
    heartbeatMs: number('failover.heartbeatMs'),
    maxWaiting: number('failover.maxWaiting'),
    catchUpMs: number('failover.catchUpMs'),
    twoWriters: choice('warn', 'stop'),
  }).optional(),
  retry: section({
    attempts: number('retry.attempts'),
    budget: number('retry.budget'),
    backoffMs: number('retry.backoffMs'),
  }).optional(),
  balance: section({
    policy: choice('p2c', 'round-robin', 'least-connections', 'random'),
    zone: text('must be a text that is not empty'),
    primaryWeight: number('balance.primaryWeight'),
    rampUpMs: number('balance.rampUpMs'),
  }).optional(),
  breaker: section({
    errorRate: number('breaker.errorRate'),
    minimumReads: number('breaker.minimumReads'),
    windowMs: number('breaker.windowMs'),
    resetMs: number('breaker.resetMs'),
  }).optional(),
  monitor: section({
    intervalMs: number('monitor.intervalMs'),
    timeoutMs: number('monitor.timeoutMs'),
  }).optional(),
  consistency: section({ waitMs: number('consistency.waitMs') }).optional(),
  lag: section({
    maxLagMs: number('lag.maxLagMs'),
    intervalMs: number('lag.intervalMs'),
    heartbeatTable: text(
      "must be a table name of letters, digits, _ and $, as 'heartbeat' or 'percona.heartbeat'",
      (value) => tableName.test(value),
    ),
    writeHeartbeat: flag,
  }).optional(),
  tokens: section({ secret: tokenSecret, onInvalid: choice('throw', 'ignore') }).optional(),
  fallback: choice('primary', 'error'),
  fallbackMax: number('fallbackMax'),
  primaryOnly: tablePatterns('to read nothing from replicas use db.primary()'),
  exactlyOnce: section({
    table: text(
      "must be a table name of letters, digits, _ and $, as 'vipsql_commit' or 'shop.vipsql_commit'",
      (value) => tableName.test(value),
    ),
    retentionMs: number('exactlyOnce.retentionMs'),
    isFenced: z
      .custom<() => void>((value) => typeof value === 'function', { error: 'must be a function' })
      .optional(),
  }).optional(),
  cache: section({
    redis: target(redisTargetProblem),
    memcached: target(memcachedTargetProblem),
    namespace: text('must be 1 to 64 letters, digits, _, - and .', (value) => /^[\w.-]{1,64}$/.test(value)),
    ttlMs: number('cache.ttlMs'),
    negativeTtlMs: number('cache.negativeTtlMs'),
    staleMs: number('cache.staleMs'),
    earlyRefresh: number('cache.earlyRefresh'),
    readBudgetMs: number('cache.readBudgetMs'),
    writeBudgetMs: number('cache.writeBudgetMs'),
    maxBypass: number('cache.maxBypass'),
    maxValueBytes: number('cache.maxValueBytes'),
    compressBytes: number('cache.compressBytes'),
    tables: tablePatterns("for a whole schema write 'shop.*'"),
    clearable: flag,
    l1: section({ copyMs: number('cache.l1.copyMs'), maxBytes: number('cache.l1.maxBytes') }).optional(),
    onInvalidationFailure: choice('report', 'throw'),
  }).optional(),
});

function target(problem: (target: unknown) => string | undefined) {
  return z
    .unknown()
    .superRefine((value, context) => {
      const rule = problem(value);
      if (rule !== undefined) context.addIssue({ code: 'custom', message: rule });
    })
    .optional();
}

/** `instead`: of a pattern that stands for all tables. */
function tablePatterns(instead: string) {
  return z
    .array(
      z.unknown().superRefine((pattern, context) => {
        const rule = tablePatternProblem(pattern, instead);
        if (rule !== undefined) context.addIssue({ code: 'custom', message: rule });
      }),
      { error: 'must be a list of table names' },
    )
    .optional();
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSecret(value: unknown): boolean {
  return typeof value === 'string' && value.length >= shortestSecret;
}

function isSecretList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isSecret);
}

function isPem(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || ArrayBuffer.isView(value);
}
