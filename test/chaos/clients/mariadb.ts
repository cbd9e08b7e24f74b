import { createPoolCluster, type PoolConnection } from 'mariadb';
import type { Acknowledgement, Client, ClientTarget, Execute } from '../client.ts';
import { done, hostAndPort, peerClient } from './peer.ts';

/** The MariaDB connector's cluster: both masters in a fixed order, and the replicas in turn. */
export function mariadbClient({ masters, replicas, user, password, database }: ClientTarget): Client {
  const cluster = createPoolCluster();
  const add = (role: string, addresses: readonly string[]): void => {
    for (const [index, address] of addresses.entries()) {
      // Without it the connector refuses MySQL's default authentication over plain TCP.
      const server = { ...hostAndPort(address), user, password, database, allowPublicKeyRetrieval: true };
      cluster.add(`${role}${index}`, server);
    }
  };
  add('master', masters);
  add('replica', replicas);
  const primary = cluster.of('master*', 'ORDER');
  const replica = cluster.of('replica*', 'RR');
  return peerClient({
    execute: async (sql, values) => {
      await primary.query(sql, [...values]);
      return done;
    },
    transaction: async (work) => await inTransaction(await primary.getConnection(), work),
    read: (from, sql, values) => (from === 'primary' ? primary : replica).query(sql, [...values]),
    close: () => cluster.end(),
  });
}

async function inTransaction(
  connection: PoolConnection,
  work: (execute: Execute) => Promise<Acknowledgement>,
): Promise<Acknowledgement> {
  try {
    await connection.beginTransaction();
    await work(async (sql, values) => {
      await connection.query(sql, [...values]);
      return done;
    });
    await connection.commit();
    return done;
  } catch (error) {
    // The first error is the news.
    await connection.rollback().catch(() => {});
    throw error;
  } finally {
    await connection.release();
  }
}
