import type { Acknowledgement, Client, ClientTarget, Row, Work } from '../client.ts';
import { done, hostAndPort, peerClient } from './peer.ts';

/** A connection as mysql2 and mariadb lend it. */
interface Session {
  query(sql: string, values: unknown[]): Promise<unknown>;
  beginTransaction(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  release(): void | Promise<void>;
}

/** The pools of a cluster that a pattern names. */
interface Pools {
  query(sql: string, values: unknown[]): Promise<unknown>;
  getConnection(): Promise<Session>;
}

/** What the PoolClusters of mysql2 and mariadb have in common. */
interface PoolCluster {
  add(name: string, server: PoolServer): void;
  of(pattern: string, selector: 'ORDER' | 'RR'): Pools;
  end(): Promise<void>;
}

interface PoolServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A PoolCluster knows no VIP: it is given both masters in a fixed order, and the replicas in turn. */
export function poolClusterPeer(
  { masters, replicas, user, password, database }: ClientTarget,
  cluster: PoolCluster,
  rowsOf: (answer: unknown) => readonly Row[],
): Client {
  const add = (role: string, addresses: readonly string[]): void => {
    for (const [index, address] of addresses.entries()) {
      cluster.add(`${role}${index}`, { ...hostAndPort(address), user, password, database });
    }
  };
  add('MASTER', masters);
  add('REPLICA', replicas);
  const primary = cluster.of('MASTER*', 'ORDER');
  const replica = cluster.of('REPLICA*', 'RR');
  return peerClient({
    execute: async (sql, values) => {
      await primary.query(sql, [...values]);
      return done;
    },
    transaction: async (work) => await inTransaction(await primary.getConnection(), work),
    read: async (from, sql, values) =>
      rowsOf(await (from === 'primary' ? primary : replica).query(sql, [...values])),
    close: () => cluster.end(),
  });
}

/** As both libraries' documents do it. */
export async function inTransaction(connection: Session, work: Work): Promise<Acknowledgement> {
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
