import { describe, expect, test } from 'vitest';
import { isWritable, writabilityStatement } from '../../../src/pool/session.ts';

describe('isWritable', () => {
  test.each<[string, Record<string, unknown>, boolean]>([
    ['MariaDB 10.11, writable', { readOnly: 0 }, true],
    ['MariaDB 10.11, read-only', { readOnly: 1 }, false],
    ['newer MariaDB, writable', { readOnly: 'OFF' }, true],
    ['newer MariaDB, read-only', { readOnly: 'ON' }, false],
    ['newer MariaDB, read-only but for locks', { readOnly: 'NO_LOCK' }, false],
    ['MySQL, writable', { readOnly: 0, superReadOnly: 0, offline: 0 }, true],
    ['MySQL, read_only', { readOnly: 1, superReadOnly: 0, offline: 0 }, false],
    ['MySQL, super_read_only', { readOnly: 1, superReadOnly: 1, offline: 0 }, false],
    ['MySQL, offline mode', { readOnly: 0, superReadOnly: 0, offline: 1 }, false],
    ["writable, with bigint: 'bigint'", { readOnly: 0n, superReadOnly: 0n, offline: 0n }, true],
    ["read-only, with bigint: 'bigint'", { readOnly: 1n, superReadOnly: 0n, offline: 0n }, false],
    ["writable, with bigint: 'string'", { readOnly: '0' }, true],
  ])('%s', (_, row, writable) => {
    expect(isWritable(row)).toBe(writable);
  });
});

describe('the question of a heartbeat', () => {
  test('asks each vendor only for what it has', () => {
    expect(writabilityStatement('mysql')).toMatch(/read_only.*super_read_only.*offline_mode/);
    expect(writabilityStatement('mariadb')).not.toMatch(/super_read_only|offline_mode/);
  });
});
