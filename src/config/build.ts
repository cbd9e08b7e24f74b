import { type NumberOption, numberOptions, otherOptions } from './defaults.ts';
import { type Draft, type Entry, isPassword } from './draft.ts';
import { type MemcachedTarget, memcachedPlaceOf } from './memcached-target.ts';
import { conceal } from './redact.ts';
import type { RedisTarget } from './redis-target.ts';
import { collationOf, utcOffset } from './session-values.ts';
import { variableName } from './session-variables.ts';
import type {
  ClusterConfig,
  Credentials,
  MasterSource,
  Password,
  ReplicaSource,
  ResolvedCache,
  ResolvedConfig,
  ResolvedPool,
  SessionConfig,
  SessionVariableValue,
  TlsOptions,
} from './types.ts';

/** Completes a configuration that has passed all checks. The result is frozen and shares no object with the input. */
export function buildConfig(draft: Draft): ResolvedConfig {
  const primary = draft.primary;
  const credentials = conceal({
    user: draft.text('user') ?? primary?.user ?? '',
    password: passwordAt(draft, 'password') ?? primary?.password,
  });
  return deepFreeze({
    primary: {
      endpoint: primary?.endpoint ?? unchecked(),
      credentials,
      proxied: draft.given('primary.proxied') === true,
    },
    replicas: draft.replicas.map((entry) =>
      replicaSource(entry ?? unchecked(), replicaCredentials(draft, credentials)),
    ),
    masters: draft.masters.map((entry) => masterSource(entry ?? unchecked(), credentials)),
    session: sessionConfig(draft),
    pool: { primary: resolvedPool(draft, 'primary'), replica: resolvedPool(draft, 'replica') },
    timeoutMs: number(draft, 'timeoutMs'),
    transactionTimeoutMs: number(draft, 'transactionTimeoutMs'),
    tcpTimeoutMs: number(draft, 'tcpTimeoutMs'),
    loginTimeoutMs: number(draft, 'loginTimeoutMs'),
    failover: {
      heartbeatMs: number(draft, 'failover.heartbeatMs'),
      maxWaiting: number(draft, 'failover.maxWaiting'),
      catchUpMs: number(draft, 'failover.catchUpMs'),
      twoWriters: choice(draft, 'failover.twoWriters') as ResolvedConfig['failover']['twoWriters'],
    },
    retry: {
      attempts: number(draft, 'retry.attempts'),
      budget: number(draft, 'retry.budget'),
      backoffMs: number(draft, 'retry.backoffMs'),
    },
    balance: {
      policy: choice(draft, 'balance.policy') as ResolvedConfig['balance']['policy'],
      zone: draft.text('balance.zone'),
      primaryWeight: number(draft, 'balance.primaryWeight'),
      rampUpMs: number(draft, 'balance.rampUpMs'),
    },
    breaker: {
      errorRate: number(draft, 'breaker.errorRate'),
      minimumReads: number(draft, 'breaker.minimumReads'),
      windowMs: number(draft, 'breaker.windowMs'),
      resetMs: number(draft, 'breaker.resetMs'),
    },
    monitor: {
      intervalMs: number(draft, 'monitor.intervalMs'),
      timeoutMs: number(draft, 'monitor.timeoutMs'),
    },
    consistency: { waitMs: number(draft, 'consistency.waitMs') },
    lag: {
      maxLagMs: number(draft, 'lag.maxLagMs'),
      intervalMs: number(draft, 'lag.intervalMs'),
      heartbeatTable: heartbeatTable(draft),
      writeHeartbeat: draft.given('lag.writeHeartbeat') === true,
    },
    tokens: conceal({
      secret: [draft.given('tokens.secret') ?? []].flat() as string[],
      onInvalid: choice(draft, 'tokens.onInvalid') as ResolvedConfig['tokens']['onInvalid'],
    }),
    fallback: choice(draft, 'fallback') as ResolvedConfig['fallback'],
    fallbackMax: number(draft, 'fallbackMax'),
    primaryOnly: [...((draft.given('primaryOnly') ?? []) as readonly string[])],
    exactlyOnce: {
      table: ledgerTable(draft),
      retentionMs: number(draft, 'exactlyOnce.retentionMs'),
      isFenced: draft.given('exactlyOnce.isFenced') as ResolvedConfig['exactlyOnce']['isFenced'],
    },
    cache: draft.given('cache') === undefined ? undefined : cacheConfig(draft),
  });
}

/** The target is handed on behind a function: a client must not be frozen, and a URL may hold a password. */
function cacheConfig(draft: Draft): ResolvedCache {
  const redis = draft.given('cache.redis') as RedisTarget | undefined;
  const memcached = draft.given('cache.memcached') as MemcachedTarget | undefined;
  return {
    redis: redis === undefined ? undefined : () => redis,
    memcached: memcached === undefined ? undefined : memcachedPlaceOf(memcached),
    namespace: choice(draft, 'cache.namespace'),
    ttlMs: number(draft, 'cache.ttlMs'),
    negativeTtlMs: number(draft, 'cache.negativeTtlMs'),
    staleMs: number(draft, 'cache.staleMs'),
    earlyRefresh: number(draft, 'cache.earlyRefresh'),
    readBudgetMs: number(draft, 'cache.readBudgetMs'),
    writeBudgetMs: number(draft, 'cache.writeBudgetMs'),
    maxBypass: number(draft, 'cache.maxBypass'),
    maxValueBytes: number(draft, 'cache.maxValueBytes'),
    compressBytes: number(draft, 'cache.compressBytes'),
    tables: [...((draft.given('cache.tables') ?? []) as readonly string[])],
    clearable: draft.given('cache.clearable') === true,
    l1:
      draft.given('cache.l1') === undefined
        ? undefined
        : { copyMs: number(draft, 'cache.l1.copyMs'), maxBytes: number(draft, 'cache.l1.maxBytes') },
    onInvalidationFailure: choice(
      draft,
      'cache.onInvalidationFailure',
    ) as ResolvedCache['onInvalidationFailure'],
  };
}

function replicaCredentials(draft: Draft, primary: Credentials): Credentials {
  return {
    user: draft.text('replica.user') ?? primary.user,
    password: passwordAt(draft, 'replica.password') ?? primary.password,
  };
}

function replicaSource(entry: Entry, common: Credentials): ReplicaSource {
  const { fields, dns } = entry;
  const spec = {
    weight: numberIn(fields, 'weight', 'replicas[].weight'),
    zone: typeof fields.zone === 'string' ? fields.zone : undefined,
    credentials: conceal({
      user: entry.user ?? common.user,
      password: entry.password ?? common.password,
    }),
  };
  if (dns === undefined) {
    return {
      ...spec,
      kind: 'fixed',
      endpoint: entry.endpoint ?? unchecked(),
      balanced: fields.balanced === true,
    };
  }
  return {
    ...spec,
    kind: 'dns',
    dns,
    port: numberIn(fields, 'port', 'replicas[].port'),
    refreshMs: numberIn(fields, 'refreshMs', 'replicas[].refreshMs'),
  };
}

function masterSource(entry: Entry, common: Credentials): MasterSource {
  return {
    endpoint: entry.endpoint ?? unchecked(),
    credentials: conceal({
      user: entry.user ?? common.user,
      password: entry.password ?? common.password,
    }),
  };
}

function sessionConfig(draft: Draft): SessionConfig {
  return {
    database: draft.text('database') ?? draft.primary?.database,
    ssl: tlsOptions(draft.given('ssl')),
    timezone: utcOffset(choice(draft, 'timezone')) ?? otherOptions.timezone.default,
    charset: collationOf(choice(draft, 'charset')) ?? otherOptions.charset.default,
    bigint: choice(draft, 'bigint') as SessionConfig['bigint'],
    dates: choice(draft, 'dates') as SessionConfig['dates'],
    sessionVariables: Object.fromEntries(
      Object.entries((draft.given('sessionVariables') ?? {}) as Record<string, SessionVariableValue>).map(
        ([key, value]) => [variableName(key), value],
      ),
    ),
    onConnect: draft.given('onConnect') as ClusterConfig['onConnect'],
  };
}

function ledgerTable(draft: Draft): ResolvedConfig['exactlyOnce']['table'] {
  return tableNamed(draft, choice(draft, 'exactlyOnce.table'));
}

function heartbeatTable(draft: Draft): ResolvedConfig['lag']['heartbeatTable'] {
  const given = draft.text('lag.heartbeatTable');
  if (given === undefined) return undefined;
  const { schema = unchecked(), name } = tableNamed(draft, given);
  return { schema, name };
}

function tableNamed(draft: Draft, given: string): ResolvedConfig['exactlyOnce']['table'] {
  const [name = unchecked(), schema = draft.text('database') ?? draft.primary?.database] = given
    .split('.')
    .reverse();
  return { schema, name };
}

function tlsOptions(ssl: unknown): TlsOptions | undefined {
  if (ssl === undefined || ssl === false) return undefined;
  const given: TlsOptions = ssl === true ? {} : (ssl as TlsOptions);
  const rejectUnauthorized = given.rejectUnauthorized ?? otherOptions['ssl.rejectUnauthorized'].default;
  return conceal({
    ...given,
    rejectUnauthorized,
    verifyIdentity: given.verifyIdentity ?? rejectUnauthorized,
  });
}

function resolvedPool(draft: Draft, role: 'primary' | 'replica'): ResolvedPool {
  const value = (name: keyof ResolvedPool): number => draft.poolNumber(role, name) ?? unchecked();
  const max = value('max');
  return {
    max,
    min: Math.min(value('min'), max),
    idleMs: value('idleMs'),
    maxLifetimeMs: value('maxLifetimeMs'),
    maxWaiting: value('maxWaiting'),
  };
}

function number(draft: Draft, path: NumberOption): number {
  return draft.number(path) ?? unchecked();
}

function numberIn(fields: Readonly<Record<string, unknown>>, name: string, path: NumberOption): number {
  const value = fields[name];
  return typeof value === 'number' ? value : numberOptions[path].default;
}

function choice(
  draft: Draft,
  path:
    | 'balance.policy'
    | 'bigint'
    | 'cache.namespace'
    | 'cache.onInvalidationFailure'
    | 'charset'
    | 'dates'
    | 'exactlyOnce.table'
    | 'failover.twoWriters'
    | 'fallback'
    | 'timezone'
    | 'tokens.onInvalid',
): string {
  return draft.text(path) ?? otherOptions[path].default;
}

function passwordAt(draft: Draft, path: string): Password | undefined {
  const value = draft.given(path);
  return isPassword(value) ? value : undefined;
}

function unchecked(): never {
  throw new Error('vipsql: a configuration was built before it was checked');
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
