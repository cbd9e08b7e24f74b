import mysql, { type Pool, type PoolOptions, type RowDataPacket } from 'mysql2/promise';
import type { Client, ClientTarget, Row } from '../client.ts';
import { done, hostAndPort, inTurn, peerClient } from './peer.ts';
import { inTransaction, poolClusterPeer } from './pool-cluster.ts';

/** A pool for the VIP and one per replica, all defaults. */
export function mysql2Client(target: ClientTarget): Client {
  return openPools(target, {});
}

/** The same with the settings that research found to help most. */
export function sensibleMysql2Client(target: ClientTarget): Client {
  return openPools(target, { connectTimeout: 1_000, enableKeepAlive: true, keepAliveInitialDelay: 1_000 });
}

/** mysql2's PoolCluster, all defaults. */
export function poolClusterClient(target: ClientTarget): Client {
  return poolClusterPeer(target, mysql.createPoolCluster(), (answer) => (answer as [readonly Row[]])[0]);
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
