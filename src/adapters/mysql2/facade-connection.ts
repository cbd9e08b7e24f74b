import { Readable } from 'node:stream';
import type { Connection as WithPromises } from 'mysql2/promise';
import { AbortedError, ClosedError } from '../../errors/errors.ts';
import type { DriverAnswer, DriverCallback } from '../driver/driver-command.ts';
import { toDriverError } from '../driver/driver-error.ts';
import type { DriverQuery, DriverQueryInput } from '../driver/driver-query.ts';
import type { DriverSession } from '../driver/driver-session.ts';
import { DriverShape } from '../driver/driver-shape.ts';
import { type FacadeBinding, facadeName } from './binding.ts';
import { PreparedStatement } from './prepared-statement.ts';
import { FacadePromiseConnection, FacadePromisePoolConnection } from './promise-wrappers.ts';
import { answerOfSet, isSetAlready } from './set-already.ts';
import { type Missing, refuseMethods } from './unsupported.ts';

type Done = (error?: Error | null) => void;

export interface FacadeConnectionParts {
  readonly binding: FacadeBinding;
  readonly session: DriverSession | Promise<DriverSession>;
  /** Told when it is given back; a connection of its own has no pool. */
  readonly onRelease?: (connection: FacadeConnection) => void;
}

/** A connection of mysql2's, with one of vipsql's below it: its own, or one that a pool has lent. */
export class FacadeConnection extends DriverShape {
  /** What mysql2's promise wrappers and instrumentations look at. */
  readonly config: object;
  readonly #parts: FacadeConnectionParts;
  #session: DriverSession | undefined;
  readonly #opening: Promise<DriverSession>;
  readonly #streams = new Set<Readable>();
  #state: 'opening' | 'open' | 'closed' = 'opening';
  #given: Promise<void> | undefined;

  constructor(parts: FacadeConnectionParts) {
    super(parts.binding.driver, parts.binding.namedPlaceholders);
    this.#parts = parts;
    const { database, user } = sessionOf(parts.binding);
    this.config = { trace: false, database, user, namedPlaceholders: parts.binding.namedPlaceholders };
    if (parts.session instanceof Promise) {
      this.#opening = parts.session;
      parts.session.then(
        (session) => this.#opened(session),
        (error: Error) => this.#failed(error),
      );
    } else {
      this.#opening = Promise.resolve(parts.session);
      this.#session = parts.session;
      this.#state = 'open';
      this.#listen(parts.session);
    }
  }

  /** Its id on its server; 0 before it is connected, and for reads on replicas, where each takes another one. */
  get threadId(): number {
    return this.#session?.threadId ?? 0;
  }

  /** As mysql2 calls it. */
  get state(): 'disconnected' | 'protocol_handshake' | 'authenticated' {
    if (this.#state === 'opening') return 'protocol_handshake';
    return this.#state === 'closed' || this.#isLost ? 'disconnected' : 'authenticated';
  }

  get authorized(): boolean {
    return this.state === 'authenticated';
  }

  /** What pools look at before they lend it again: Sequelize's does. */
  get stream(): { readonly destroyed: boolean } {
    return { destroyed: this.#state === 'closed' || this.#isLost };
  }

  get _closing(): boolean {
    return this.#state === 'closed';
  }

  override async answer(query: DriverQuery): Promise<DriverAnswer> {
    this.#check(query.sql);
    const { services } = this.#parts.binding;
    if (isSetAlready(query.sql, services.config.session)) return answerOfSet();
    const session = this.#session ?? (await this.#opening);
    return await session.answer(query);
  }

  override rows(query: DriverQuery, highWaterMark: number | undefined): Readable {
    this.#check(query.sql);
    const rows =
      this.#session?.rows(query, highWaterMark) ??
      Readable.from(laterRows(this.#opening, query, highWaterMark), { objectMode: true });
    this.#streams.add(rows);
    rows.once('close', () => this.#streams.delete(rows));
    return rows;
  }

  /** Calls back once it is connected. */
  connect(callback?: (error: Error | null, connection?: this) => void): void {
    this.#opening.then(
      () => callback?.(null, this),
      (error: Error) => callback?.(error),
    );
  }

  beginTransaction(callback?: DriverCallback): void {
    this.query('START TRANSACTION', callback ?? unheard);
  }

  commit(callback?: DriverCallback): void {
    this.query('COMMIT', callback ?? unheard);
  }

  rollback(callback?: DriverCallback): void {
    this.query('ROLLBACK', callback ?? unheard);
  }

  /** Asks the server for a sign of life. */
  ping(callback?: Done): void {
    this.query('SELECT 1', (error) => callback?.(error));
  }

  /** Takes back everything that was changed in the session, an open transaction included. */
  reset(callback?: Done): void {
    const done = (): void => callback?.(null);
    this.#reset().then(() => queueMicrotask(done), unheardBy(callback));
  }

  /** A statement whose values are bound later. The server prepares it when it is first executed, and refuses it then. */
  prepare(
    input: DriverQueryInput,
    callback?: (error: Error | null, statement?: PreparedStatement) => void,
  ): void {
    const sql = typeof input === 'string' ? input : input.sql;
    try {
      this.#check(sql);
      const statement = new PreparedStatement(this, input, sql);
      queueMicrotask(() => callback?.(null, statement));
    } catch (error) {
      queueMicrotask(() => callback?.(error as Error));
    }
  }

  /**
   * Gives a pool's connection back once what was given to it before has ended. An open transaction is rolled back, a
   * changed session reset, and a stream that is still read ends with an error.
   */
  release(): void {
    void this.#giveBack();
  }

  /** Ends a connection of its own; gives a pool's back. */
  end(callback?: Done): void;
  end(options: unknown, callback?: Done): void;
  end(options?: unknown, callback?: Done): void {
    const done = typeof options === 'function' ? (options as Done) : callback;
    this.#giveBack().then(() => done?.());
  }

  /** Ends the connection at once, whatever runs on it; `destroy` by another name. */
  close(): void {
    this.destroy();
  }

  /** Ends the connection at once, whatever runs on it. */
  destroy(): void {
    this.#session?.destroy();
    void this.#giveBack();
  }

  /** The same connection with promises instead of callbacks: mysql2's own class for that. */
  promise(promiseImpl?: PromiseConstructor): WithPromises {
    const Wrapper =
      this.#parts.onRelease === undefined ? FacadePromiseConnection : FacadePromisePoolConnection;
    return new Wrapper(this, promiseImpl);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  async #reset(): Promise<void> {
    this.#check(undefined);
    const session = await this.#opening;
    this.#check(undefined);
    await session.reset();
  }

  /** As from mysql2's pools, of which nobody has to hear. */
  #listen(session: DriverSession): void {
    session.onLost = (error) =>
      queueMicrotask(() => {
        if (this.#state !== 'closed' && this.listenerCount('error') > 0) this.emit('error', error);
      });
  }

  #opened(session: DriverSession): void {
    this.#session = session;
    if (this.#state === 'closed') return;
    this.#listen(session);
    this.#state = 'open';
    this.emit('connect', { threadId: session.threadId });
  }

  #failed(error: Error): void {
    this.#state = 'closed';
    if (this.listenerCount('error') > 0) this.emit('error', error);
  }

  get #isLost(): boolean {
    return this.#session?.lost === true;
  }

  #giveBack(): Promise<void> {
    this.#given ??= this.#leave();
    return this.#given;
  }

  async #leave(): Promise<void> {
    this.#state = 'closed';
    const why = new AbortedError('The connection was given back while the rows were read.', {
      outcome: 'unknown',
    });
    for (const stream of this.#streams) stream.destroy(toDriverError(why, undefined) as Error);
    const session = await this.#opening.catch(() => undefined);
    await session?.restore();
    this.#parts.onRelease?.(this);
    this.emit('end');
  }

  #check(sql: string | undefined): void {
    try {
      if (this.#state === 'closed') {
        throw new ClosedError('The connection was given back or ended; the statement was not sent.');
      }
      this.#parts.binding.services.scope.refuse(facadeName);
    } catch (error) {
      throw toDriverError(error, sql);
    }
  }
}

async function* laterRows(
  opening: Promise<DriverSession>,
  query: DriverQuery,
  highWaterMark: number | undefined,
): AsyncGenerator {
  const session = await opening;
  yield* session.rows(query, highWaterMark);
}

function sessionOf({ services: { config } }: FacadeBinding): { database?: string; user: string } {
  const { database } = config.session;
  return { ...(database !== undefined && { database }), user: config.primary.credentials.user };
}

/** Who gives no callback does not want to hear of it. */
function unheard(): void {}

function unheardBy(callback: Done | undefined): (error: Error) => void {
  return (error) => callback?.(error);
}

const missing: Missing = {
  changeUser:
    'the account is that of the cluster; make another cluster for another account, and use reset() for a clean session',
  unprepare: 'prepared statements are bounded per connection and closed by themselves',
  pause: 'read with stream(), which has back-pressure',
  resume: 'read with stream(), which has back-pressure',
  serverHandshake: 'it is for servers',
  createBinlogStream: 'open a connection of mysql2 to the server whose log it is',
};

refuseMethods(FacadeConnection.prototype, missing);
