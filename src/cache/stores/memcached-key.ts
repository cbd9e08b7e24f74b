import { hash } from 'node:crypto';

/** A name with this beginning is hashed itself, so that no two names share a key. */
const hashed = 'vipsql:#';

const longestKey = 250;

/** The key of a record: its name, or a hash of it where memcached would not take that. */
export function memcachedKeyOf(name: string): string {
  const isKey = name.length <= longestKey && /^[!-~]+$/.test(name) && !name.startsWith(hashed);
  return isKey ? name : `${hashed}${hash('sha256', name, 'base64url')}`;
}
