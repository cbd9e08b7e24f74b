/** What memcached tells of itself. */
export interface MemcachedIdentity {
  /** Its process and when that was started. */
  readonly life: string;
  /** What its clock shows, in seconds. */
  readonly second: number;
  /** The most bytes that a key, its value and what memcached adds may take. */
  readonly itemBytes: number;
}

/** The first release whose answers all carry the number of their question. */
const oldestPatch = 18;

/** @throws when it cannot be used, saying why. */
export function identityOf(
  stats: ReadonlyMap<string, string>,
  settings: ReadonlyMap<string, string>,
): MemcachedIdentity {
  const pid = numberIn(stats, 'pid');
  const second = numberIn(stats, 'time');
  const uptime = numberIn(stats, 'uptime');
  const itemBytes = numberIn(settings, 'item_size_max');
  if (![pid, second, uptime, itemBytes].every(Number.isFinite)) {
    throw new Error('memcached does not name its pid, time, uptime and item_size_max');
  }
  const version = stats.get('version') ?? '';
  if (!isNewEnough(version))
    throw new Error(`memcached is ${version}, and has to be 1.6.${oldestPatch} or newer`);
  if (settings.get('cas_enabled') !== 'yes')
    throw new Error('memcached runs without versions of values (-C)');
  // Both are told by one look at its clock, so that their difference never changes.
  return { life: `${pid}-${second - uptime}`, second, itemBytes };
}

function numberIn(told: ReadonlyMap<string, string>, name: string): number {
  return Number(told.get(name) ?? Number.NaN);
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  if (major !== 1) return major > 1;
  return minor > 6 || (minor === 6 && patch >= oldestPatch);
}
