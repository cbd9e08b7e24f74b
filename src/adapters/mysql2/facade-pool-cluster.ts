import { EventEmitter } from 'node:events';
import { ConfigError } from '../../errors/errors.ts';
import { toDriverError } from '../driver/driver-error.ts';
import type { FacadeConnection } from './facade-connection.ts';
import type { FacadePool } from './facade-pool.ts';
import type { DriverConfig } from './options.ts';

type Lent = (error: Error | null, connection?: FacadeConnection) => void;

/** A PoolCluster of mysql2's: pools by name, each for the primary or for reads on replicas. */
export class FacadePoolCluster extends EventEmitter {
  readonly #createPool: (config: DriverConfig) => FacadePool;
  readonly #pools = new Map<string, FacadePool>();
  #nameless = 0;

  constructor(createPool: (config: DriverConfig) => FacadePool) {
    super();
    this.#createPool = createPool;
  }

  /** Adds a pool, which is one for replicas where the host is `'replica'`, or that of a replica of the cluster. */
  add(config: DriverConfig): void;
  add(id: string, config: DriverConfig): void;
  add(...given: [DriverConfig] | [string, DriverConfig]): void {
    const [id, config] = given.length === 2 ? given : ([this.#nextName(), given[0]] as const);
    if (!this.#pools.has(id)) this.#pools.set(id, this.#createPool(config));
  }

  /** Ends the pools of that pattern, and takes them out. */
  remove(pattern: string): void {
    for (const id of this.#idsOf(pattern)) {
      this.#pools.get(id)?.end();
      this.#pools.delete(id);
    }
  }

  /** The pool whose name the pattern is, or begins, with `*` at its end. Which server it takes is the cluster's choice. */
  of(pattern: string): FacadePool {
    const [id = ''] = this.#idsOf(pattern);
    const found = this.#pools.get(id);
    if (found !== undefined) return found;
    const rule = `must name one of the pools that were added: ${[...this.#pools.keys()].join(', ')}`;
    throw new ConfigError([{ path: 'pattern', rule, received: pattern }], { subject: 'vipsql/mysql2' });
  }

  /** Of a pool of any name without a pattern. */
  getConnection(callback: Lent): void;
  getConnection(pattern: string, callback: Lent): void;
  getConnection(pattern: string, selector: string, callback: Lent): void;
  getConnection(...given: [Lent] | [string, Lent] | [string, string, Lent]): void {
    const done = given[given.length - 1] as Lent;
    const pattern = typeof given[0] === 'string' ? given[0] : '*';
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

  #nextName(): string {
    this.#nameless += 1;
    return `CLUSTER::${this.#nameless}`;
  }

  #idsOf(pattern: string): readonly string[] {
    const ids = [...this.#pools.keys()];
    if (!pattern.endsWith('*')) return ids.filter((id) => id === pattern);
    return ids.filter((id) => id.startsWith(pattern.slice(0, -1)));
  }
}
