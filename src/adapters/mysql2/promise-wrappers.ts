import * as mysql2 from 'mysql2/promise';

type Wrapper<Wrapped> = new (core: object, promiseImpl?: PromiseConstructor) => Wrapped;

/** mysql2's classes that give a core with callbacks promises; its typings leave them out. */
export const { PromisePool, PromiseConnection, PromisePoolConnection } = mysql2 as unknown as {
  readonly PromisePool: Wrapper<mysql2.Pool>;
  readonly PromiseConnection: Wrapper<mysql2.Connection>;
  readonly PromisePoolConnection: Wrapper<mysql2.PoolConnection>;
};
