import type { LabServer } from '../../src/testing/index.ts';

/** A row that exactly one operation has made, by the server that executed it. */
export interface OperationRow {
  readonly id: string;
  readonly server: number;
}

/** One of the two rows of a transfer. */
export interface Leg extends OperationRow {
  readonly leg: number;
  readonly account: number;
  readonly amount: number;
}

/** What one server holds of the workload's tables. */
export interface ServerRows {
  readonly server: string;
  readonly events: readonly OperationRow[];
  readonly legs: readonly Leg[];
  readonly counters: ReadonlyMap<string, number>;
  /** By account, relative to where all of them began. */
  readonly balances: ReadonlyMap<string, number>;
  /** Of the commit ledger: the keys whose transactions are done. */
  readonly keys: ReadonlySet<string>;
}

/** How many counters and shared accounts there are; each worker has one more account of its own. */
export const counterCount = 8;
export const accountCount = 20;
const firstOwnAccount = 100;

/** The account that only the long transfers of this worker draw on. */
export function ownAccount(worker: number): number {
  return firstOwnAccount + worker;
}

const tables = [
  // Without a unique key on `id`: what is executed twice is there twice.
  'chaos_event (seq BIGINT AUTO_INCREMENT PRIMARY KEY, id VARCHAR(40) NOT NULL, server INT NOT NULL, KEY (id))',
  'chaos_leg (seq BIGINT AUTO_INCREMENT PRIMARY KEY, id VARCHAR(40) NOT NULL, leg TINYINT NOT NULL, ' +
    'account INT NOT NULL, amount INT NOT NULL, server INT NOT NULL, KEY (id))',
  'chaos_counter (id VARCHAR(40) PRIMARY KEY, n BIGINT NOT NULL)',
  'chaos_account (id INT PRIMARY KEY, balance BIGINT NOT NULL)',
];

/** Statements of the workload; the server that executes a row writes itself into it. */
export const statements = {
  event: 'INSERT INTO chaos_event (id, server) VALUES (?, @@server_id)',
  counter: 'UPDATE chaos_counter SET n = n + 1 WHERE id = ?',
  leg: 'INSERT INTO chaos_leg (id, leg, account, amount, server) VALUES (?, ?, ?, ?, @@server_id)',
  balance: 'UPDATE chaos_account SET balance = balance + ? WHERE id = ?',
  read: 'SELECT balance FROM chaos_account WHERE id = ?',
  /** 0 in every consistent view: the two rows of a transfer cancel out. */
  sum: 'SELECT COALESCE(SUM(amount), 0) AS total FROM chaos_leg',
} as const;

/** Makes the tables anew, empty, with their counters and accounts; the commit ledger is made by vipsql. */
export async function createTables(owner: LabServer, database: string, workers: number): Promise<void> {
  for (const table of tables) {
    const [name] = table.split(' ');
    await owner.query(`DROP TABLE IF EXISTS ${database}.${name}`);
    await owner.query(`CREATE TABLE ${database}.${table}`);
  }
  await owner.query(`DROP TABLE IF EXISTS ${database}.vipsql_commit`);
  const counters = Array.from({ length: counterCount }, (_, index) => `('c${index}', 0)`);
  await owner.query(`INSERT INTO ${database}.chaos_counter VALUES ${counters.join(', ')}`);
  const accounts = [
    ...Array.from({ length: accountCount }, (_, index) => index),
    ...Array.from({ length: workers }, (_, worker) => ownAccount(worker)),
  ];
  await owner.query(
    `INSERT INTO ${database}.chaos_account VALUES ${accounts.map((id) => `(${id}, 0)`).join(', ')}`,
  );
}

/** Reads what a server holds. */
export async function readRows(server: LabServer, database: string): Promise<ServerRows> {
  const events = await server.query<OperationRow>(`SELECT id, server FROM ${database}.chaos_event`);
  const legs = await server.query<Leg>(`SELECT id, leg, account, amount, server FROM ${database}.chaos_leg`);
  const counters = await server.query<{ id: string; n: number }>(
    `SELECT id, n FROM ${database}.chaos_counter`,
  );
  const accounts = await server.query<{ id: number; balance: number }>(
    `SELECT id, balance FROM ${database}.chaos_account`,
  );
  const keys = await server.query<{ name: string }>(
    'SELECT CONVERT(SUBSTRING(id, 5) USING utf8mb4) AS name ' +
      `FROM ${database}.vipsql_commit WHERE committed = 1 AND id LIKE 'key:%'`,
  );
  return {
    server: server.name,
    events,
    legs,
    counters: new Map(counters.map(({ id, n }) => [id, Number(n)])),
    balances: new Map(accounts.map(({ id, balance }) => [String(id), Number(balance)])),
    keys: new Set(keys.map(({ name }) => name)),
  };
}
