import { options } from './defaults.ts';

/** Names of other libraries, and what vipsql calls it. */
const aliases: ReadonlyMap<string, string> = new Map(
  Object.entries({
    acquireTimeout: '`timeoutMs`',
    connectionLimit: '`pool.max`',
    connectTimeout: '`tcpTimeoutMs` and `loginTimeoutMs`',
    db: '`database`',
    heartbeatTable: '`lag.heartbeatTable`',
    host: '`primary`',
    hosts: '`primary` and `replicas`',
    idleTimeout: '`pool.idleMs`',
    master: '`primary`',
    maxLagMs: '`lag.maxLagMs`',
    maxIdle: '`pool.min` and `pool.idleMs`',
    maxRetries: '`retry.attempts`',
    port: '`primary`',
    'primary.database': '`database` at the top level',
    'primary.password': '`password` at the top level',
    'primary.user': '`user` at the top level',
    queueLimit: '`pool.maxWaiting`',
    readReplicas: '`replicas`',
    retries: '`retry.attempts`',
    slaves: '`replicas`',
    socketPath: '`primary`',
    standby: '`primary`, which is the virtual IP of both masters',
    timeout: '`timeoutMs`',
    tls: '`ssl`',
    uri: '`primary`',
    url: '`primary`',
    username: '`user`',
    vip: '`primary`',
  }),
);

/** What is wrong with a key that the schema does not have: misspelt, or unknown. */
export function unknownKeyRule(parent: string, key: string): string {
  const path = parent === '' ? key : `${parent}.${key}`;
  const siblings = keysBelow(parent);
  if (siblings.includes(key)) return 'cannot be combined with the other keys of this entry';
  const alias = aliases.get(path);
  const near = nearest(key, siblings);
  const meant = alias ?? (near === undefined ? undefined : `\`${near}\``);
  if (meant !== undefined) return `is not an option; did you mean ${meant}?`;
  return `is not an option; there ${siblings.length === 1 ? 'is' : 'are'} ${siblings.map((name) => `\`${name}\``).join(', ')}`;
}

/** The option that an unknown key was probably meant to be. */
export function nearest(key: string, known: readonly string[]): string | undefined {
  const wanted = normalised(key);
  const limit = Math.max(1, Math.floor(key.length / 3));
  const ranked = known
    .map((name) => ({ name, distance: editDistance(wanted, normalised(name)) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.name;
}

/** Names of the options directly below a path, in the docs' notation. */
export function keysBelow(parent: string): readonly string[] {
  const prefix = parent === '' ? '' : `${parent.replace(/^pool\.(?:primary|replica)$/, 'pool')}.`;
  const names = Object.keys(options)
    .filter((path) => path.startsWith(prefix))
    .map((path) => path.slice(prefix.length))
    .filter((rest) => !/[.[]/.test(rest));
  return parent === 'pool.primary' || parent === 'pool.replica'
    ? names.filter((name) => !(name in { primary: 0, replica: 0 }))
    : names;
}

function normalised(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '').replace(/ms$/, '');
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
