import { describe, expect, test } from 'vitest';
import { driverQuery } from '../../../../src/adapters/driver/driver-query.ts';
import { MigrationWatch } from '../../../../src/adapters/knex/migration-watch.ts';
import type { RawRows } from '../../../../src/pool/command.ts';

const changed = (affectedRows: number) => ({ affectedRows }) as unknown as RawRows;

const take = driverQuery('update `knex_migrations_lock` set `is_locked` = ? where `is_locked` = ?', [1, 0], {
  prepare: false,
});
const free = driverQuery('update `knex_migrations_lock` set `is_locked` = ?', [0], { prepare: false });

describe('MigrationWatch', () => {
  test('sees migrations run from the taking of their lock to its end', () => {
    const watch = new MigrationWatch();
    expect(watch.running).toBe(false);
    watch.executed(take, changed(1));
    expect(watch.running).toBe(true);
    watch.executed(driverQuery('update `t` set `is_locked` = ?', [0], { prepare: false }), changed(1));
    expect(watch.running).toBe(true);
    watch.executed(free, changed(1));
    expect(watch.running).toBe(false);
  });

  test('sees none where somebody else has the lock', () => {
    const watch = new MigrationWatch();
    watch.executed(take, changed(0));
    expect(watch.running).toBe(false);
  });

  test('knows the lock in another schema and under another name', () => {
    const watch = new MigrationWatch();
    watch.executed(
      driverQuery('update `ops`.`steps_lock` set `is_locked` = ? where 1', [1], { prepare: false }),
      changed(1),
    );
    expect(watch.running).toBe(true);
  });
});
