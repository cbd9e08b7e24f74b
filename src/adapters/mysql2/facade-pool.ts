import type { Readable } from 'node:stream';
import type { Pool as PoolWithPromises } from 'mysql2/promise';
import { ClosedError } from '../../errors/errors.ts';
import { type Begun, begin } from '../../handles/begin.ts';
import type { Call } from '../../handles/call.ts';
import { createRowStream } from '../../handles/row-stream.ts';
import { pumpOnPrimary, runOnPrimary } from '../../handles/run-on-primary.ts';
import type { DriverAnswer } from '../driver/driver-command.ts';
import { toDriverError } from '../driver/driver-error.ts';
import { callOf, type DriverQuery } from '../driver/driver-query.ts';
import { DriverShape } from '../driver/driver-shape.ts';
import { ReplicaSession } from '../driver/replica-session.ts';
import { type FacadeBinding, facadeName } from './binding.ts';
import { FacadeConnection } from './facade-connection.ts';
import { openPooledSession } from './open-session.ts';
import { FacadePromisePool } from './promise-wrappers.ts';
import { type Missing, refuseMethods, unsupported } from './unsupported.ts';

type Done = (error: Error | null) => void;

/** A pool of mysql2's whose connections are the cluster's: to the primary, or for reads on replicas. */
export class FacadePool extends DriverShape {
  /** What mysql2's promise wrappers and instrumentations look at. */
  readonly config: object;
  readonly #binding: FacadeBinding;
  readonly #onReplicas: ReplicaSession;
  readonly #lent = new Set<FacadeConnection>();
  #closed = false;

  constructor(binding: FacadeBinding) {
    super(binding.driver, binding.namedPlaceholders);
    const { services, driver, timeoutMs, namedPlaceholders } = binding;
    const { session, pool } = services.config;
    this.#binding = binding;
    this.#onReplicas = new ReplicaSession({ services, driver, name: facadeName, timeoutMs });
    const connectionConfig = { trace: false, database: session.database, namedPlaceholders };
    this.config = { connectionConfig, connectionLimit: pool.primary.max };
    this.on('newListener', (event) => {
      if (event === 'connection') throw unsupported("on('connection')", sessionHint);
    });
  }

  get _closed(): boolean {
    return this.#closed;
  }

  /** Lends one of the connections of the cluster, to be given back by `release`. */
  getConnection(callback: (error: Error | null, connection?: FacadeConnection) => void): void {
    this.#lend().then(
      (connection) => queueMicrotask(() => callback(null, connection)),
      (error: Error) => queueMicrotask(() => callback(error)),
    );
  }

  releaseConnection(connection: { release(): void }): void {
    connection.release();
  }

  /** Gives back every connection, and takes no more statements. The cluster stays open. */
  end(callback?: Done): void {
    this.#closed = true;
    const given = [...this.#lent].map(
      (connection) => new Promise<void>((resolve) => connection.end(() => resolve())),
    );
    Promise.all(given).then(() => callback?.(null));
  }

  /** The same pool with promises instead of callbacks: mysql2's own class for that. */
  promise(promiseImpl?: PromiseConstructor): PoolWithPromises {
    return new FacadePromisePool(this, promiseImpl);
  }

  [Symbol.dispose](): void {
    this.end();
  }

  override async answer(query: DriverQuery): Promise<DriverAnswer> {
    let text = query.sql;
    try {
      this.#check();
      if (this.#binding.role === 'replica') return await this.#onReplicas.answer(query);
      const call = callOf(query, this.driver);
      text = call.command.text;
      const { begun, timeoutMs } = this.#begin(query);
      const options = { timeoutMs, signal: query.signal };
      const { rows, fields } = await runOnPrimary(this.#binding.services, begun, call, options);
      return [rows, fields];
    } catch (error) {
      throw toDriverError(error, text);
    }
  }

  override rows(query: DriverQuery, highWaterMark: number | undefined): Readable {
    this.#check();
    if (this.#binding.role === 'replica') return this.#onReplicas.rows(query, highWaterMark);
    const call = callOf(query, this.driver);
    return this.#rowsOnPrimary(call, query, highWaterMark);
  }

  #rowsOnPrimary(call: Call, query: DriverQuery, highWaterMark: number | undefined): Readable {
    const { begun, timeoutMs } = this.#begin(query);
    const { signal } = query;
    const run = pumpOnPrimary(this.#binding.services, begun, call, { timeoutMs, signal });
    return createRowStream({
      call,
      highWaterMark,
      timeoutMs: begun.timeoutMs,
      signal,
      run: (pump) =>
        run(pump).catch((error: unknown) => {
          throw toDriverError(error, call.command.text);
        }),
    });
  }

  #begin({ timeoutMs: ofQuery, signal }: DriverQuery): { begun: Begun; timeoutMs: number | undefined } {
    const timeoutMs = ofQuery ?? this.#binding.timeoutMs;
    return { begun: begin(this.#binding.services, facadeName, { timeoutMs, signal }), timeoutMs };
  }

  async #lend(): Promise<FacadeConnection> {
    const binding = this.#binding;
    const { services, role } = binding;
    try {
      this.#check();
      services.scope.refuse(facadeName);
    } catch (error) {
      throw toDriverError(error, undefined);
    }
    if (role === 'primary' && this.#hasToWait()) this.emit('enqueue');
    const session = await openPooledSession(binding);
    const connection = new FacadeConnection({
      binding,
      session,
      onRelease: (returned) => {
        this.#lent.delete(returned);
        this.emit('release', returned);
      },
    });
    this.#lent.add(connection);
    if (this.#closed) {
      connection.release();
      throw toDriverError(closed(), undefined);
    }
    this.emit('acquire', connection);
    return connection;
  }

  #hasToWait(): boolean {
    const { primary, config } = this.#binding.services;
    const { state, inUse } = primary.status();
    return state !== 'open' || inUse >= config.pool.primary.max;
  }

  #check(): void {
    if (this.#closed) throw closed();
  }
}

function closed(): ClosedError {
  return new ClosedError('Pool is closed. The statement was not sent.');
}

const sessionHint =
  'give the cluster sessionVariables or onConnect, which hold for all of its connections and after each reset';

const missing: Missing = {
  unprepare: 'prepared statements are bounded per connection and closed by themselves',
};

refuseMethods(FacadePool.prototype, missing);
