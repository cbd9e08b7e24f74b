import * as mysql2 from 'mysql2/promise';

type Wrapper<Wrapped> = new (core: object, promiseImpl?: PromiseConstructor) => Wrapped;

/** mysql2's classes that give a core with callbacks promises; its typings leave them out. */
const wrappers = mysql2 as unknown as {
  readonly PromisePool: Wrapper<mysql2.Pool>;
  readonly PromiseConnection: Wrapper<mysql2.Connection>;
  readonly PromisePoolConnection: Wrapper<mysql2.PoolConnection>;
};

export class FacadePromiseConnection extends wrappers.PromiseConnection {}

export class FacadePromisePoolConnection extends wrappers.PromisePoolConnection {}

/** mysql2 runs these on the core as methods of its own connection, whose insides the core does not have. */
const synchronous = [
  'close',
  'createBinlogStream',
  'destroy',
  'escape',
  'escapeId',
  'format',
  'pause',
  'resume',
  'unprepare',
] as const;

interface PoolCore {
  getConnection(done: (error: Error | null, connection?: ConnectionCore) => void): void;
}

interface ConnectionCore {
  promise(promiseImpl: PromiseConstructor): mysql2.PoolConnection;
}

/** mysql2's, which lends connections with the wrapper that is made for them. */
export class FacadePromisePool extends wrappers.PromisePool {
  override getConnection(): Promise<mysql2.PoolConnection> {
    const { pool, Promise: promiseImpl } = this as unknown as {
      readonly pool: PoolCore;
      readonly Promise: PromiseConstructor;
    };
    return new promiseImpl((resolve, reject) => {
      pool.getConnection((error, connection) => {
        if (connection === undefined) reject(error);
        else resolve(connection.promise(promiseImpl));
      });
    });
  }
}

type Core = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

for (const { prototype } of [FacadePromiseConnection, FacadePromisePoolConnection]) {
  for (const name of synchronous) {
    Object.defineProperty(prototype, name, {
      configurable: true,
      value(this: { readonly connection: Core }, ...args: readonly unknown[]): unknown {
        return this.connection[name]?.(...args);
      },
    });
  }
}
