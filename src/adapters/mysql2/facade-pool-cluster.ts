import { EventEmitter } from 'node:events';
import { ConfigError } from '../../errors/errors.ts';
import { toDriverError } from '../driver/driver-error.ts';
import type { FacadeConnection } from './facade-connection.ts';
import type { FacadePool } from './facade-pool.ts';
import type { DriverConfig } from './options.ts';

type Lent = (error: Error | null, connection?: FacadeConnection) => void;

/** A PoolCluster of mysql2's, as far as TypeORM uses it: pools by name, each for the primary or for reads on replicas. */
export class FacadePoolCluster extends EventEmitter {
  readonly #createPool: (config: DriverConfig) => FacadePool;
  readonly #pools = new Map<string, FacadePool>();

  constructor(createPool: (config: DriverConfig) => FacadePool) {
    super();
    this.#createPool = createPool;
  }

  /** Adds a pool; `host: 'replica'` in its configuration makes it one for replicas. */
  add(id: string, config: DriverConfig): void {
    if (!this.#pools.has(id)) this.#pools.set(id, this.#createPool(config));
  }

  /** The pool whose name the pattern is, or begins, with `*` at its end. Which server it takes is the cluster's choice. */
  of(pattern: string): FacadePool {
    const [found] = [...this.#pools].filter(([id]) =>
      pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern,
    );
    if (found !== undefined) return found[1];
    const rule = `must name one of the pools that were added: ${[...this.#pools.keys()].join(', ')}`;
    throw new ConfigError([{ path: 'pattern', rule, received: pattern }], { subject: 'vipsql/mysql2' });
  }

  getConnection(pattern: string, callback: Lent): void;
  getConnection(pattern: string, selector: string, callback: Lent): void;
  getConnection(pattern: string, selector: string | Lent, callback?: Lent): void {
    const done = typeof selector === 'function' ? selector : (callback as Lent);
    try {
      this.of(pattern).getConnection(done);
    } catch (error) {
      done(toDriverError(error, undefined) as Error);
    }
  }

  /** Ends its pools. The cluster stays open. */
  end(callback?: (error: Error | null) => void): void {
    const pools = [...this.#pools.values()];
    const ended = pools.map((pool) => new Promise<void>((resolve) => pool.end(() => resolve())));
    Promise.all(ended).then(() => callback?.(null));
  }
}
