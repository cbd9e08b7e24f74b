import type { ConfigIssue } from '../errors/errors.ts';
import { type NumberOption, numberOptions } from './defaults.ts';
import type { Draft, Entry } from './draft.ts';
import { describeValue } from './redact.ts';
import { isRedisCluster } from './redis-target.ts';

type Rule = (draft: Draft) => readonly ConfigIssue[];

/** The mistakes that only show when several options are seen together. */
export function crossFieldIssues(draft: Draft): readonly ConfigIssue[] {
  return rules.flatMap((rule) => rule(draft));
}

const rules: readonly Rule[] = [
  credentialsFitTheUrl,
  poolMinimumFits,
  (draft) => isBelow(draft, 'tcpTimeoutMs', 'timeoutMs', 'or no operation could outlive one lost connect'),
  (draft) =>
    isBelow(
      draft,
      'failover.heartbeatMs',
      'timeoutMs',
      'or operations would end before a failover is noticed',
    ),
  replicasDiffer,
  mastersDiffer,
  urlsNameTheDatabase,
  zoneHasReplicas,
  someoneServesReads,
  proxyHidesTheWriters,
  lagLimitIsLongEnough,
  lagNeedsOneServer,
  heartbeatHasItsTable,
  tlsIsWhole,
  oneStore,
  copiesNeedRedis,
];

function credentialsFitTheUrl(draft: Draft): readonly ConfigIssue[] {
  const { primary } = draft;
  const issues = (['user', 'password', 'database'] as const)
    .filter((name) => {
      const [given, inUrl] = [draft.given(name), primary?.[name]];
      return given !== undefined && inUrl !== undefined && given !== inUrl;
    })
    .map((name) => issue(name, 'must not differ from the one in the URL of `primary`', draft.given(name)));
  if (primary !== undefined && primary.user === undefined && draft.given('user') === undefined) {
    issues.push(issue('user', 'must be given, here or in the URL of `primary`', undefined));
  }
  return issues;
}

function poolMinimumFits(draft: Draft): readonly ConfigIssue[] {
  const found = (['primary', 'replica'] as const).flatMap((role) => {
    const [max, min] = [draft.poolNumber(role, 'max'), draft.poolNumber(role, 'min', 0)];
    if (max === undefined || min === undefined || min <= max) return [];
    const path = draft.given(`pool.${role}.min`) === undefined ? 'pool.min' : `pool.${role}.min`;
    return [issue(path, `must not be above the max of ${max}`, min)];
  });
  return found.filter(({ path }, index) => found.findIndex((other) => other.path === path) === index);
}

function oneStore(draft: Draft): readonly ConfigIssue[] {
  const memcached = draft.given('cache.memcached');
  if (memcached === undefined || draft.given('cache.redis') === undefined) return [];
  return [
    issue(
      'cache.memcached',
      'must not be given beside `cache.redis`: values are kept in one of them',
      memcached,
    ),
  ];
}

function copiesNeedRedis(draft: Draft): readonly ConfigIssue[] {
  const [l1, redis] = [draft.given('cache.l1'), draft.given('cache.redis')];
  if (l1 === undefined) return [];
  if (draft.given('cache.memcached') !== undefined) {
    const rule =
      'needs `cache.redis`: memcached answers for one record after the other, and copies need them together';
    return [issue('cache.l1', rule, l1)];
  }
  if (redis === undefined) {
    return [issue('cache.l1', 'needs `cache.redis`: without it all values are in this process anyway', l1)];
  }
  if (typeof redis !== 'object' || redis === null || !isRedisCluster(redis)) return [];
  const rule = 'needs one Redis or a Sentinel set-up: in a Redis Cluster writers could not know of copies';
  return [issue('cache.l1', rule, l1)];
}

function isBelow(
  draft: Draft,
  low: NumberOption,
  high: NumberOption,
  because: string,
): readonly ConfigIssue[] {
  const [lower, upper] = [draft.number(low), draft.number(high)];
  if (lower === undefined || upper === undefined || lower < upper) return [];
  if (draft.given(low) !== undefined)
    return [issue(low, `must be below \`${high}\` (${upper}), ${because}`, lower)];
  return [issue(high, `must be above \`${low}\` (${lower} by default), ${because}`, upper)];
}

function replicasDiffer(draft: Draft): readonly ConfigIssue[] {
  const primary = draft.primary === undefined ? undefined : addressOf(draft.primary);
  const addresses = new Map<string, number>();
  const names = new Map<string, number>();
  return draft.replicas.flatMap((entry, index) => {
    if (entry === undefined) return [];
    const address = addressOf(entry);
    const path = `replicas[${index}]`;
    if (address === primary) {
      return [
        issue(
          path,
          'must not be the address of the primary; leave it out, reads fall back to the primary',
          address,
        ),
      ];
    }
    const twin = addresses.get(address);
    if (twin !== undefined)
      return [issue(path, `must not repeat replicas[${twin}]; use \`weight\``, address)];
    addresses.set(address, index);
    const name = entry.endpoint?.name;
    const namesake = name === undefined ? undefined : names.get(name);
    if (name !== undefined) names.set(name, names.get(name) ?? index);
    return namesake === undefined
      ? []
      : [issue(`${path}.name`, `must not be the name of replicas[${namesake}] too`, name)];
  });
}

function mastersDiffer(draft: Draft): readonly ConfigIssue[] {
  const primary = draft.primary === undefined ? undefined : addressOf(draft.primary);
  const addresses = new Map<string, number>();
  return draft.masters.flatMap((entry, index) => {
    if (entry === undefined) return [];
    const address = addressOf(entry);
    const path = `masters[${index}]`;
    if (address === primary) {
      const rule =
        "must be the master's own address, not that of the primary, which moves between the masters";
      return [issue(path, rule, address)];
    }
    const twin = addresses.get(address);
    if (twin !== undefined) return [issue(path, `must not repeat masters[${twin}]`, address)];
    addresses.set(address, index);
    return [];
  });
}

function addressOf({ endpoint, dns, fields }: Entry): string {
  if (endpoint === undefined) return `dns ${dns}:${fields.port ?? numberOptions['replicas[].port'].default}`;
  return endpoint.kind === 'tcp' ? `${endpoint.host}:${endpoint.port}` : endpoint.path;
}

function urlsNameTheDatabase(draft: Draft): readonly ConfigIssue[] {
  const database = draft.text('database') ?? draft.primary?.database;
  return (['replicas', 'masters'] as const).flatMap((list) =>
    draft[list].flatMap((entry, index) =>
      entry?.database === undefined || entry.database === database
        ? []
        : [issue(`${list}[${index}]`, `must not name another database than the primary's`, entry.database)],
    ),
  );
}

function zoneHasReplicas(draft: Draft): readonly ConfigIssue[] {
  const zone = draft.text('balance.zone');
  if (zone === undefined || draft.replicas.includes(undefined)) return [];
  const zones = new Set(
    draft.replicas.map((entry) => entry?.fields.zone).filter((name) => typeof name === 'string'),
  );
  if (zones.has(zone)) return [];
  const known =
    zones.size === 0
      ? 'no replica has a `zone`'
      : `there are ${[...zones].map((name) => `'${name}'`).join(', ')}`;
  return [issue('balance.zone', `must be the \`zone\` of a replica, or be left out; ${known}`, zone)];
}

function someoneServesReads(draft: Draft): readonly ConfigIssue[] {
  const { replicas } = draft.fields;
  const none = replicas === undefined || (Array.isArray(replicas) && replicas.length === 0);
  if (!none || draft.text('fallback') !== 'error' || draft.number('balance.primaryWeight') !== 0) return [];
  return [issue('fallback', "must be 'primary' without replicas, or every db.replica() would fail", 'error')];
}

function proxyHidesTheWriters(draft: Draft): readonly ConfigIssue[] {
  if (draft.given('primary.proxied') !== true || draft.text('failover.twoWriters') !== 'stop') return [];
  const rule =
    "must be 'warn' while `primary.proxied` is true: behind a proxy nothing shows which master is the primary";
  return [issue('failover.twoWriters', rule, 'stop')];
}

function lagLimitIsLongEnough(draft: Draft): readonly ConfigIssue[] {
  const [maxLagMs = 0, intervalMs = 0] = [draft.number('lag.maxLagMs'), draft.number('lag.intervalMs')];
  if (maxLagMs === 0 || maxLagMs >= 2 * intervalMs) return [];
  const rule = `must be at least twice \`lag.intervalMs\` (${intervalMs}), or a replica would be too old between two looks`;
  return [issue('lag.maxLagMs', rule, maxLagMs)];
}

function lagNeedsOneServer(draft: Draft): readonly ConfigIssue[] {
  const maxLagMs = draft.number('lag.maxLagMs');
  const balanced = draft.replicas.findIndex((entry) => entry?.fields.balanced === true);
  if (maxLagMs === undefined || maxLagMs === 0 || balanced === -1) return [];
  const rule = `must be left out with replicas[${balanced}], which is balanced: nobody knows how old the server of the next connection is; list the servers, or name them by \`dns\``;
  return [issue('lag.maxLagMs', rule, maxLagMs)];
}

function heartbeatHasItsTable(draft: Draft): readonly ConfigIssue[] {
  const table = draft.given('lag.heartbeatTable');
  const isWritten = draft.given('lag.writeHeartbeat') === true;
  if (table === undefined) {
    if (!isWritten) return [];
    return [issue('lag.writeHeartbeat', 'must not be true without `lag.heartbeatTable`', true)];
  }
  if (draft.given('primary.proxied') === true) {
    const rule = 'must be left out while `primary.proxied` is true: the row of the primary could not be told';
    return [issue('lag.heartbeatTable', rule, table)];
  }
  const hasSchema = String(table).includes('.') || (draft.text('database') ?? draft.primary?.database);
  return hasSchema
    ? []
    : [issue('lag.heartbeatTable', "must name its schema, as 'shop.heartbeat', without `database`", table)];
}

const tlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

function tlsIsWhole(draft: Draft): readonly ConfigIssue[] {
  const at = (name: string): unknown => draft.given(`ssl.${name}`);
  const issues: ConfigIssue[] = [];
  if (at('verifyIdentity') === true && at('rejectUnauthorized') === false) {
    issues.push(
      issue(
        'ssl.verifyIdentity',
        'must not be true while `rejectUnauthorized` is false: nothing would be verified',
        true,
      ),
    );
  }
  if (at('cert') !== undefined && at('key') === undefined)
    issues.push(issue('ssl.key', 'must be given with `cert`', undefined));
  if (at('key') !== undefined && at('cert') === undefined)
    issues.push(issue('ssl.cert', 'must be given with `key`', undefined));
  const [lowest, highest] = [at('minVersion'), at('maxVersion')].map((version) =>
    tlsVersions.indexOf(String(version)),
  );
  if (lowest !== undefined && highest !== undefined && highest !== -1 && lowest > highest) {
    issues.push(issue('ssl.minVersion', 'must not be above `maxVersion`', at('minVersion')));
  }
  return issues;
}

function issue(path: string, rule: string, received: unknown): ConfigIssue {
  return { path, rule, received: describeValue(received, path.split('.')) };
}
