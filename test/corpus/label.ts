import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import type { LabAddress, LabVendor } from '../../src/testing/index.ts';

/**
 * What a server makes of a statement: `read` ran and left nothing behind, `refused` was refused as a write, `locks` took
 * a lock, `state` changed the session, `error` failed for another reason (syntax, unknown name, privilege).
 */
export type Label = 'read' | 'refused' | 'locks' | 'state' | 'error';

/** Answers that make a statement dangerous on a replica. */
export const dangerous: ReadonlySet<Label> = new Set(['refused', 'locks', 'state']);

/** A read-only server with the schema of the corpus, and two accounts: the reader's own, and one that may look at it. */
export interface LabelServer extends LabAddress {
  readonly vendor: LabVendor;
  readonly database: string;
  readonly reader: { readonly user: string; readonly password: string };
  readonly observer: { readonly user: string; readonly password: string };
}

/** `--read-only`, a READ ONLY transaction, and MySQL's names for the same. */
const readOnlyErrors: ReadonlySet<number> = new Set([1290, 1792, 1836, 3159]);

/** The user locks of the corpus: what a statement took is looked for by these names. */
const lockNames: readonly string[] = ['l', 'corpus'];

/** A lock that the session holds beforehand. */
const heldLock = 'held';

/** Asks one server about one statement after another, on sessions that are reset in between. */
export class Labeller {
  readonly #server: LabelServer;
  readonly #reader: Connection;
  readonly #observer: Connection;
  #clean: string | undefined;

  private constructor(server: LabelServer, reader: Connection, observer: Connection) {
    this.#server = server;
    this.#reader = reader;
    this.#observer = observer;
  }

  static async connect(server: LabelServer): Promise<Labeller> {
    const { host, port, database } = server;
    const open = (account: LabelServer['reader']): Promise<Connection> =>
      createConnection({ host, port, database, ...account });
    return new Labeller(server, await open(server.reader), await open(server.observer));
  }

  close(): void {
    this.#reader.destroy();
    this.#observer.destroy();
  }

  /** Runs the statement twice: by itself, and inside a READ ONLY transaction. */
  async label(sql: string): Promise<Label> {
    await this.#reset();
    this.#clean ??= await this.#sessionState();
    const alone = await this.#run(sql);
    if (alone !== 'read') return alone;
    if (await this.#holdsUserLock()) return 'locks';
    if (
      (await this.#leftOpen()) ||
      (await this.#leftUnseen()) ||
      (await this.#sessionState()) !== this.#clean
    )
      return 'state';
    await this.#reset();
    await this.#reader.query('START TRANSACTION READ ONLY');
    const inside = await this.#run(sql);
    if (inside !== 'read') return inside === 'error' ? 'read' : inside;
    if (await this.#holdsRowLock()) return 'locks';
    return (await this.#leftOpen()) ? 'read' : 'state';
  }

  async #run(sql: string): Promise<Label> {
    try {
      const [result] = await this.#reader.query(sql);
      const changes = (result as { stateChanges?: { trackStateChange?: unknown } }).stateChanges;
      return typeof changes?.trackStateChange === 'string' ? 'state' : 'read';
    } catch (error) {
      const { errno = 0 } = error as { errno?: number };
      return readOnlyErrors.has(errno) ? 'refused' : 'error';
    }
  }

  async #reset(): Promise<void> {
    await this.#reader.reset();
    await this.#reader.query(`USE ${this.#server.database}`);
    await this.#reader.query(
      `SET session_track_state_change = 1, @@session.lock_wait_timeout = GET_LOCK('${heldLock}', 5)`,
    );
  }

  /** Whether a transaction is open. */
  async #leftOpen(): Promise<boolean> {
    const [{ serverStatus }] = (await this.#reader.query('DO 0')) as unknown as [{ serverStatus: number }];
    return (serverStatus & 1) === 1;
  }

  /** All that a session keeps from one statement to the next, but for what each SELECT changes. */
  async #sessionState(): Promise<string> {
    const [variables] = await this.#reader.query<RowDataPacket[]>('SHOW SESSION VARIABLES');
    const kept = variables.filter(({ Variable_name: name }) => !passing.has(String(name)));
    const [own] = await this.#reader.query<RowDataPacket[]>(
      'SELECT DATABASE() AS db, LAST_INSERT_ID() AS id, CONNECTION_ID() AS connection',
    );
    const [user] =
      this.#server.vendor === 'mysql'
        ? await this.#observer.query(userVariablesOfMysql, [this.#reader.threadId])
        : await this.#reader.query('SELECT * FROM information_schema.user_variables');
    return JSON.stringify([kept, own, user]);
  }

  async #holdsUserLock(): Promise<boolean> {
    const names = lockNames.map((name) => `IS_USED_LOCK('${name}')`).join(', ');
    const [[row]] = await this.#observer.query<RowDataPacket[]>(
      `SELECT COALESCE(${names}) IS NOT NULL OR IS_USED_LOCK('${heldLock}') IS NULL AS changed`,
    );
    return Number(row?.changed) === 1;
  }

  /** What no view of the server tells: an open HANDLER, and a next transaction that is SERIALIZABLE. */
  async #leftUnseen(): Promise<boolean> {
    const closed = await this.#reader.query('HANDLER t CLOSE').then(
      () => true,
      () => false,
    );
    if (closed) return true;
    await this.#reader.query('START TRANSACTION');
    await this.#reader.query('SELECT COUNT(*) FROM t');
    const locks = await this.#holdsRowLock();
    await this.#reader.query('ROLLBACK');
    return locks;
  }

  async #holdsRowLock(): Promise<boolean> {
    const id = this.#reader.threadId;
    if (this.#server.vendor === 'mysql') {
      const [[row]] = await this.#observer.query<RowDataPacket[]>(locksOfMysql, [id]);
      return Number(row?.locks) > 0;
    }
    // information_schema.innodb_trx is up to 0.1 s old.
    const [[status]] = await this.#observer.query<RowDataPacket[]>('SHOW ENGINE INNODB STATUS');
    const transactions = String(status?.Status).split('---TRANSACTION ');
    const own = transactions.find((text) => text.includes(`thread id ${id},`)) ?? '';
    const [, structs = '0'] = /(\d+) lock struct/.exec(own) ?? [];
    return Number(structs) > 0;
  }
}

const locksOfMysql =
  'SELECT COUNT(*) AS locks FROM performance_schema.data_locks JOIN performance_schema.threads USING (thread_id) WHERE processlist_id = ?';

const userVariablesOfMysql =
  'SELECT variable_name, variable_value FROM performance_schema.user_variables_by_thread JOIN performance_schema.threads USING (thread_id) WHERE processlist_id = ?';

/** Variables that change by themselves. */
const passing: ReadonlySet<string> = new Set([
  'error_count',
  'statement_id',
  'warning_count',
  'in_transaction',
  'last_gtid',
  'rand_seed1',
  'rand_seed2',
  'timestamp',
  'pseudo_thread_id',
  'gtid_binlog_pos',
  'gtid_binlog_state',
  'gtid_current_pos',
  'gtid_slave_pos',
  'gtid_executed',
]);
