import type { CachedHandle, Cluster, ClusterConfig } from '../../../src/index.ts';
import type { Lab } from '../../../src/testing/index.ts';
import { openServing } from '../../support/cluster.ts';

interface Product {
  readonly id: number;
  readonly n: number;
}

/** A table of numbers on a lab that are read through the cache, each test with a number of its own. */
export class Products {
  readonly lab: Lab;
  #last = 0;

  private constructor(lab: Lab) {
    this.lab = lab;
  }

  static async create(lab: Lab): Promise<Products> {
    await lab.owner().query('CREATE TABLE lab.products (id INT PRIMARY KEY, n INT NOT NULL)');
    await lab.heal();
    return new Products(lab);
  }

  /** A cluster with a cache in the lab's Redis, or in a memcached: as good as another process. */
  async open({ cache, ...config }: Partial<ClusterConfig> = {}): Promise<Cluster> {
    const store = cache?.memcached === undefined ? { redis: this.lab.redisUrl ?? '' } : {};
    const db = await openServing(this.lab, { ...config, cache: { ...store, ttlMs: 600_000, ...cache } });
    for (let looks = 0; db.status().cache?.state !== 'ready'; looks += 1) {
      if (looks > 500) throw new Error('the cache is not ready');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return db;
  }

  /** A product with the number 1, which every server has. */
  async add(): Promise<number> {
    this.#last += 1;
    await this.lab.owner().query('INSERT INTO lab.products VALUES (?, 1)', [this.#last]);
    await this.lab.heal();
    return this.#last;
  }

  keyOf(id: number): string {
    return `product:${id}`;
  }

  tagOf(id: number): string {
    return `shelf:${id}`;
  }

  /** Writes without a word to the cache. */
  async write(db: Cluster, id: number, n: number): Promise<void> {
    await db.primary().execute('UPDATE products SET n = ? WHERE id = ?', [n, id]);
  }

  cached(db: Cluster, id: number): CachedHandle<Product> {
    return db.replica<Product>().cached({ key: this.keyOf(id), tags: [this.tagOf(id), 'products'] });
  }

  async read(db: Cluster, id: number): Promise<number> {
    return (await this.cached(db, id).one('SELECT id, n FROM products WHERE id = ?', [id])).n;
  }

  async stopAppliers(): Promise<void> {
    for (const { name } of this.lab.replicas) await this.lab.fault({ kind: 'stop-applier', server: name });
  }
}

/** Holds those up who pass it until it is opened. */
export class Gate {
  readonly #opened: Promise<void>;
  readonly #reached: Promise<void>;
  #open: () => void = () => {};
  #reach: () => void = () => {};

  constructor() {
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.#reached = new Promise((resolve) => {
      this.#reach = resolve;
    });
  }

  /** Resolves once somebody stands before it. */
  get reached(): Promise<void> {
    return this.#reached;
  }

  open(): void {
    this.#open();
  }

  async pass(): Promise<void> {
    this.#reach();
    await this.#opened;
  }
}
