import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mysql2For } from '../../../src/adapters/mysql2/index.ts';
import type { DriverConfig } from '../../../src/adapters/mysql2/options.ts';
import { ConfigError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { openServing } from '../../support/cluster.ts';

interface Lent {
  query(sql: string, done: (error: Error | null, rows: { id: number }[]) => void): void;
  release(): void;
}

/** What callers have of it: mysql2's types leave a part of that out. */
interface PoolCluster {
  add(config: DriverConfig): void;
  add(id: string, config: DriverConfig): void;
  remove(pattern: string): void;
  getConnection(done: (error: Error | null, connection: Lent) => void): void;
  getConnection(pattern: string, done: (error: Error | null, connection: Lent) => void): void;
  end(done: () => void): void;
}

describe('a pool cluster of mysql2 on a cluster', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ replicas: 1, redis: false });
  });
  afterAll(() => lab?.stop());

  const serverOf = (pools: PoolCluster, pattern?: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const ask = (error: Error | null, connection: Lent): void => {
        if (error !== null) {
          reject(error);
          return;
        }
        connection.query('SELECT @@server_id AS id', (failure, rows) => {
          connection.release();
          if (failure !== null) reject(failure);
          else resolve(rows[0]?.id ?? 0);
        });
      };
      if (pattern === undefined) pools.getConnection(ask);
      else pools.getConnection(pattern, ask);
    });

  test('has pools with and without names; one that names a replica reads on replicas', async () => {
    const db = await openServing(lab);
    const pools = mysql2For(db).createPoolCluster() as unknown as PoolCluster;
    const primary = await db.primary().value<number>('SELECT @@server_id');
    const { address } = lab.replicas[0] ?? { address: '' };
    pools.add({ host: 'anything' });
    pools.add('SLAVE1', { host: address.replace(/:\d+$/, '') });
    pools.add('SLAVE2', { host: 'replica' });
    expect(await serverOf(pools)).toBe(primary);
    expect(await serverOf(pools, 'CLUSTER::1')).toBe(primary);
    for (const name of ['SLAVE*', 'SLAVE2']) expect(await serverOf(pools, name)).not.toBe(primary);
    pools.remove('SLAVE*');
    await expect(serverOf(pools, 'SLAVE1')).rejects.toThrow('pools that were added: CLUSTER::1');
    await new Promise<void>((resolve) => pools.end(resolve));
  });

  test('refuses what a pool cannot have for itself', async () => {
    const db = await openServing(lab);
    const { createPool } = mysql2For(db);
    expect(() => createPool({ charset: 'utf8mb4' })).not.toThrow();
    for (const config of [{ charset: 'utf8mb4_bin' }, { database: 'another' }]) {
      expect(() => createPool(config)).toThrow(ConfigError);
    }
  });
});
