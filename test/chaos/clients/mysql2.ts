import mysql, { type Pool, type PoolConnection, type PoolOptions, type RowDataPacket } from 'mysql2/promise';
import type { Acknowledgement, Client, ClientTarget, Execute, Values } from '../client.ts';
import { done, hostAndPort, inTurn, peerClient } from './peer.ts';

/** A pool for the VIP and one per replica, all defaults. */
export function mysql2Client(target: ClientTarget): Client {
  return openPools(target, {});
}

/** The same with the settings that research found to help most. */
export function sensibleMysql2Client(target: ClientTarget): Client {
  return openPools(target, { connectTimeout: 1_000, enableKeepAlive: true, keepAliveInitialDelay: 1_000 });
}

/** mysql2's PoolCluster knows no VIP: both masters in a fixed order, and the replicas in turn. */
export function poolClusterClient(target: ClientTarget): Client {
  const { user, password, database, masters, replicas } = target;
  const cluster = mysql.createPoolCluster();
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
    read: async (from, sql, values) => {
      const [rows] = await (from === 'primary' ? primary : replica).query<RowDataPacket[]>(sql, [...values]);
      return rows;
    },
    close: () => cluster.end(),
  });
}

function openPools({ primary, replicas, ...target }: ClientTarget, options: PoolOptions): Client {
  const { user, password, database } = target;
  const open = (address: string): Pool =>
    mysql.createPool({ ...hostAndPort(address), user, password, database, ...options });
  const vip = open(primary);
  const others = replicas.map(open);
  const replica = inTurn(others);
  return peerClient({
    execute: async (sql, values) => {
      await vip.query(sql, [...values]);
      return done;
    },
    transaction: async (work) => await inTransaction(await vip.getConnection(), work),
    read: async (from, sql, values) => {
      const [rows] = await (from === 'primary' ? vip : replica()).query<RowDataPacket[]>(sql, [...values]);
      return rows;
    },
    close: async () => {
      await Promise.all([vip, ...others].map((pool) => pool.end()));
    },
  });
}

/** As mysql2's documents do it. */
async function inTransaction(
  connection: PoolConnection,
  work: (execute: Execute) => Promise<Acknowledgement>,
): Promise<Acknowledgement> {
  try {
    await connection.beginTransaction();
    await work(async (sql: string, values: Values) => {
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
    connection.release();
  }
}
