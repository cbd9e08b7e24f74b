import { randomBytes } from 'node:crypto';

/** Bytes of the ids that vipsql makes itself. */
const idBytes = 16;

/**
 * A new id for one transaction: a UUID of version 7. Ids that are made one after another lie side by side in the
 * ledger's primary key.
 */
export function newLedgerId(nowMs: number = Date.now()): Buffer {
  const id = randomBytes(idBytes);
  id.writeUIntBE(nowMs, 0, 6);
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x70;
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80;
  return id;
}

/** The id of a caller's key. Its first byte keeps it apart from those that vipsql makes. */
export function idOfKey(key: string): Buffer {
  return Buffer.from(`key:${key}`, 'utf8');
}
