import knex, { type Knex } from 'knex';
import type { Client, ClientTarget } from '../client.ts';
import { done, hostAndPort, inTurn, peerClient } from './peer.ts';

/** Knex over mysql2, one instance for the VIP and one per replica, all defaults. */
export function knexClient({ primary, replicas, user, password, database }: ClientTarget): Client {
  const open = (address: string): Knex =>
    knex({ client: 'mysql2', connection: { ...hostAndPort(address), user, password, database } });
  const vip = open(primary);
  const others = replicas.map(open);
  const replica = inTurn(others);
  return peerClient({
    execute: async (sql, values) => {
      await vip.raw(sql, [...values]);
      return done;
    },
    transaction: (work) =>
      vip.transaction((trx) =>
        work(async (sql, values) => {
          await trx.raw(sql, [...values]);
          return done;
        }),
      ),
    read: async (from, sql, values) => {
      const [rows] = await (from === 'primary' ? vip : replica()).raw(sql, [...values]);
      return rows;
    },
    close: async () => {
      await Promise.all([vip, ...others].map((each) => each.destroy()));
    },
  });
}
