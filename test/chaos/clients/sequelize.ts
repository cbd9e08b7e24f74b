import { QueryTypes, Sequelize } from 'sequelize';
import type { Client, ClientTarget, Row } from '../client.ts';
import { done, hostAndPort, peerClient } from './peer.ts';

/** Sequelize with `replication`: writes to the VIP, reads to the replicas. */
export function sequelizeClient({ primary, replicas, user, password, database }: ClientTarget): Client {
  const server = (address: string): { host: string; port: string; username: string; password: string } => {
    const { host, port } = hostAndPort(address);
    return { host, port: String(port), username: user, password };
  };
  const sequelize = new Sequelize(database, '', '', {
    dialect: 'mysql',
    logging: false,
    replication: { write: server(primary), read: replicas.map(server) },
  });
  return peerClient({
    execute: async (sql, values) => {
      await sequelize.query(sql, { replacements: [...values], type: QueryTypes.RAW });
      return done;
    },
    transaction: (work) =>
      sequelize.transaction((transaction) =>
        work(async (sql, values) => {
          await sequelize.query(sql, { replacements: [...values], type: QueryTypes.RAW, transaction });
          return done;
        }),
      ),
    read: (from, sql, values) =>
      sequelize.query<Row>(sql, {
        replacements: [...values],
        type: QueryTypes.SELECT,
        useMaster: from === 'primary',
      }),
    close: () => sequelize.close(),
  });
}
