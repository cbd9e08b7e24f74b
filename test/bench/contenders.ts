import mysql from 'mysql2/promise';
import { createCluster, type RowReader } from 'vipsql';

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

function vipsql(target: BenchTarget, server: Server): Contender {
  const { vip, replica, user, password, database } = target;
  const db = createCluster({
    primary: vip,
    replicas: [replica],
    user,
    password,
    database,
    pool: { max: connections, min: connections },
  });
  const handle: RowReader = server === 'vip' ? db.primary() : db.replica();
  return { read: (id) => handle.query(statement, [id]), close: () => db.close() };
}

/** Every contender by its name; pairs on the same server are compared. */
export const contenders: Readonly<Record<string, (target: BenchTarget) => Contender>> = {
  'mysql2 pool, vip': (target) => mysql2Pool(target, 'vip'),
  'vipsql primary()': (target) => vipsql(target, 'vip'),
  'mysql2 pool, replica': (target) => mysql2Pool(target, 'replica'),
  'vipsql replica()': (target) => vipsql(target, 'replica'),
};

/** Contender and the one it is measured against. */
export const pairs = [
  ['vipsql primary()', 'mysql2 pool, vip'],
  ['vipsql replica()', 'mysql2 pool, replica'],
] as const;
