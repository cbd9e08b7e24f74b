import knexModule, { type Knex } from 'knex';
import mysql from 'mysql2/promise';
import { type Cluster, createCluster, type RowReader } from 'vipsql';
import { knexClient } from 'vipsql/knex';
import { createPool } from 'vipsql/mysql2';

/** Where the bench's servers are and how to log in. */
export interface BenchTarget {
  readonly vip: { readonly host: string; readonly port: number };
  readonly replica: { readonly host: string; readonly port: number };
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** One way of reading a row by its key. */
export interface Contender {
  read(id: number): Promise<unknown>;
  close(): Promise<void>;
}

export const connections = 10;

const statement = 'SELECT id, name, price, stock FROM product WHERE id = ?';

type Server = 'vip' | 'replica';

function mysql2Pool(target: BenchTarget, server: Server): Contender {
  const { user, password, database } = target;
  const pool = mysql.createPool({
    ...target[server],
    user,
    password,
    database,
    connectionLimit: connections,
  });
  return { read: (id) => pool.query(statement, [id]), close: () => pool.end() };
}

function openCluster({ vip, replica, user, password, database }: BenchTarget): Cluster {
  const pool = { max: connections, min: connections };
  return createCluster({ primary: vip, replicas: [replica], user, password, database, pool });
}

function vipsql(target: BenchTarget, server: Server): Contender {
  const db = openCluster(target);
  const handle: RowReader = server === 'vip' ? db.primary() : db.replica();
  return { read: (id) => handle.query(statement, [id]), close: () => db.close() };
}

function facade(target: BenchTarget): Contender {
  const db = openCluster(target);
  const pool = createPool(db).promise();
  return { read: (id) => pool.query(statement, [id]), close: () => db.close() };
}

function onKnex(knex: Knex, close = async (): Promise<void> => {}): Contender {
  return {
    read: (id) => knex('product').select('id', 'name', 'price', 'stock').where('id', id).then(),
    close: async () => {
      await knex.destroy();
      await close();
    },
  };
}

const knexPool = { min: connections, max: connections };

function stockKnex({ vip, user, password, database }: BenchTarget): Contender {
  const connection = { ...vip, user, password, database };
  return onKnex(knexModule({ client: 'mysql2', connection, pool: knexPool }));
}

function ourKnex(target: BenchTarget): Contender {
  const db = openCluster(target);
  return onKnex(knexModule({ client: knexClient(db), pool: knexPool }), () => db.close());
}

/** Every contender by its name; pairs on the same server are compared. */
export const contenders: Readonly<Record<string, (target: BenchTarget) => Contender>> = {
  'mysql2 pool, vip': (target) => mysql2Pool(target, 'vip'),
  'vipsql primary()': (target) => vipsql(target, 'vip'),
  'mysql2 pool, replica': (target) => mysql2Pool(target, 'replica'),
  'vipsql replica()': (target) => vipsql(target, 'replica'),
  'vipsql/mysql2 pool': facade,
  'Knex, its client': stockKnex,
  'Knex, knexClient(db)': ourKnex,
};

/** Contender and the one it is measured against. */
export const pairs = [
  ['vipsql primary()', 'mysql2 pool, vip'],
  ['vipsql replica()', 'mysql2 pool, replica'],
  ['vipsql/mysql2 pool', 'mysql2 pool, vip'],
  ['Knex, knexClient(db)', 'Knex, its client'],
] as const;
