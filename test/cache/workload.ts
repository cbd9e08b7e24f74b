import { type Cluster, createCluster, type TransactionOptions } from '../../src/index.ts';
import type { Lab } from '../../src/testing/index.ts';
import { prepareLedger } from '../support/prepare-ledger.ts';
import { Observer, type Violation } from './observer.ts';

export interface WorkloadOptions {
  /** Each stands for a process. */
  readonly clusters: readonly Cluster[];
  /** Readers and writers at the same time. */
  readonly concurrency: number;
  readonly random: () => number;
  /** Whether to take another step. */
  readonly goesOn: (soFar: WorkloadResult) => boolean;
}

export interface WorkloadResult {
  reads: number;
  writes: number;
  /** Of the reads, those of a session after a write of its own that invalidated nothing. */
  sessionReads: number;
  /** Writes whose invalidation was reported as not delivered. */
  undelivered: number;
  readonly violations: Violation[];
  /** Steps that failed, by error code: during a failover writes may be in doubt. */
  readonly failures: Map<string, number>;
}

export const counterCount = 12;

const writeShare = 0.04;
const sessionShare = 0.02;
/** Of the writes, those by way of the commit ledger. */
const exactlyOnceShare = 0.3;

/** Makes what {@link runWorkload} needs. */
export async function createCounters(lab: Lab): Promise<void> {
  const zeros = Array.from({ length: counterCount }, (_, id) => `(${id}, 0)`).join(', ');
  await lab.owner().query('CREATE TABLE lab.cached_counters (id INT PRIMARY KEY, n BIGINT NOT NULL)');
  await lab.owner().query(`INSERT INTO lab.cached_counters VALUES ${zeros}`);
  await using db = createCluster(lab.config());
  await prepareLedger(lab, db);
  await lab.heal();
}

const keyOf = (id: number): string => `counter:${id}`;
const tagOf = (id: number): string => `counters:${id % 4}`;

/** Raises counters and reads them through the cache; no read may show less than what was invalidated before it began. */
export async function runWorkload(options: WorkloadOptions): Promise<WorkloadResult> {
  const result: WorkloadResult = {
    reads: 0,
    writes: 0,
    sessionReads: 0,
    undelivered: 0,
    violations: [],
    failures: new Map(),
  };
  const { clusters, random } = options;
  const observer = new Observer();
  const processes = clusters.map((db, index) => new Process(db, index, observer, random));
  const step = async (): Promise<void> => {
    const process = processes[Math.floor(random() * processes.length)] as Process;
    const id = Math.floor(random() * counterCount);
    try {
      const kind = random();
      if (kind < writeShare) {
        result.writes += 1;
        if (!(await process.write(id))) result.undelivered += 1;
      } else {
        const inSession = kind < writeShare + sessionShare;
        const violation = await (inSession ? process.readOwnWrite(id) : process.read(id));
        result.reads += 1;
        if (inSession) result.sessionReads += 1;
        if (violation !== undefined) result.violations.push(violation);
      }
    } catch (error) {
      const code = String((error as { readonly code?: unknown }).code ?? error);
      result.failures.set(code, (result.failures.get(code) ?? 0) + 1);
    }
  };
  const worker = async (): Promise<void> => {
    while (options.goesOn(result)) await step();
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  return result;
}

class Process {
  readonly #db: Cluster;
  readonly #index: number;
  readonly #observer: Observer;
  readonly #random: () => number;
  /** By key and tag, how many invalidations were not delivered. */
  readonly #failed = new Map<string, number>();

  constructor(db: Cluster, index: number, observer: Observer, random: () => number) {
    this.#db = db;
    this.#index = index;
    this.#observer = observer;
    this.#random = random;
    db.on('cache:invalidation-failed', ({ keys, tags }) => {
      for (const name of [...keys, ...tags]) this.#failed.set(name, (this.#failed.get(name) ?? 0) + 1);
    });
  }

  /** Resolves to whether the invalidation was delivered. */
  async write(id: number): Promise<boolean> {
    const byTag = this.#random() < 0.5;
    const name = byTag ? tagOf(id) : keyOf(id);
    const targets = byTag ? { tags: [name] } : { keys: [name] };
    const failedBefore = this.#failed.get(name);
    const value = await this.#raise(id, targets);
    const isDelivered = this.#failed.get(name) === failedBefore;
    this.#observer.invalidated(id, value, isDelivered ? undefined : this.#index);
    return isDelivered;
  }

  async #raise(id: number, targets: { keys?: string[]; tags?: string[] }): Promise<number> {
    const db = this.#db;
    const inside = this.#random() < 0.7;
    const options: TransactionOptions = this.#random() < exactlyOnceShare ? { exactlyOnce: true } : {};
    const value = await db.transaction(async (tx) => {
      if (inside) tx.invalidates(targets);
      await tx.execute('UPDATE cached_counters SET n = n + 1 WHERE id = ?', [id]);
      return await tx.value<number>('SELECT n FROM cached_counters WHERE id = ?', [id]);
    }, options);
    if (!inside) await db.cache.invalidate(targets);
    return value;
  }

  async read(id: number): Promise<Violation | undefined> {
    const least = this.#observer.least(id, this.#index);
    const found = await this.#cached(id);
    return found >= least ? undefined : { counter: id, expected: least, found, process: this.#index };
  }

  /** Writes without a word to the cache, and reads in the same session. */
  async readOwnWrite(id: number): Promise<Violation | undefined> {
    const db = this.#db;
    return await db.session(async () => {
      const written = await db.transaction(async (tx) => {
        await tx.execute('UPDATE cached_counters SET n = n + 1 WHERE id = ?', [id]);
        return await tx.value<number>('SELECT n FROM cached_counters WHERE id = ?', [id]);
      });
      const found = await this.#cached(id);
      return found >= written ? undefined : { counter: id, expected: written, found, process: this.#index };
    });
  }

  async #cached(id: number): Promise<number> {
    const db = this.#db;
    const tags = [tagOf(id)];
    const select = 'SELECT n FROM cached_counters WHERE id = ?';
    if (this.#random() < 0.8) {
      return await db
        .replica()
        .cached({ key: keyOf(id), tags })
        .value<number>(select, [id]);
    }
    return await db.cache.read(keyOf(id), (source) => source.replica().value<number>(select, [id]), { tags });
  }
}
