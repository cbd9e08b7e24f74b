import type { Cluster } from '../../src/index.ts';
import { type Counters, Observer, type Violation } from './observer.ts';

export interface WorkloadOptions {
  /** The clusters between which sessions wander with their tokens, as between processes. */
  readonly clusters: readonly Cluster[];
  /** Without, the same statements run outside of any session. */
  readonly sessions: boolean;
  /** Sessions at the same time. */
  readonly concurrency: number;
  readonly random: () => number;
  /** Whether to begin another session. */
  readonly goesOn: (soFar: WorkloadResult) => boolean;
}

export interface WorkloadResult {
  reads: number;
  writes: number;
  sessions: number;
  /** Reads by the server that answered. */
  readonly byServer: Map<string, number>;
  readonly violations: Violation[];
  /**
   * Reads on the primary handle that saw less than a replica had shown. A replica is ahead of its primary while that
   * waits for the acknowledgement of semi-synchronous replication; sessions promise nothing for that handle.
   */
  readonly behindReplica: Violation[];
  /** Statements that failed, by error code: during a failover writes may be in doubt. */
  readonly failures: Map<string, number>;
}

export const counterCount = 20;

const stepsPerSession = 12;
const writeShare = 0.15;
const primaryReadShare = 0.03;
const branchShare = 0.1;
/** The share of sessions that are gone on with by another one, in another cluster. */
const handOverShare = 0.5;

/** The statement that makes what {@link runWorkload} needs. */
export const createCounters: readonly string[] = [
  'CREATE TABLE lab.counters (id INT PRIMARY KEY, n BIGINT NOT NULL)',
  `INSERT INTO lab.counters VALUES ${Array.from({ length: counterCount }, (_, id) => `(${id}, 0)`).join(', ')}`,
];

/** Runs sessions that raise counters and read them, and checks each read against what its session has written and read. */
export async function runWorkload(options: WorkloadOptions): Promise<WorkloadResult> {
  const result: WorkloadResult = {
    reads: 0,
    writes: 0,
    sessions: 0,
    byServer: new Map(),
    violations: [],
    behindReplica: [],
    failures: new Map(),
  };
  const user = async (): Promise<void> => {
    while (options.goesOn(result)) await new User(options, result).run();
  };
  await Promise.all(Array.from({ length: options.concurrency }, user));
  return result;
}

/** Somebody whose requests are sessions, each with the token of the one before. */
class User {
  readonly #options: WorkloadOptions;
  readonly #result: WorkloadResult;
  readonly #observer = new Observer();

  constructor(options: WorkloadOptions, result: WorkloadResult) {
    this.#options = options;
    this.#result = result;
  }

  async run(): Promise<void> {
    const { random, clusters, sessions } = this.#options;
    let token: string | undefined;
    do {
      this.#result.sessions += 1;
      const db = clusters[Math.floor(random() * clusters.length)] as Cluster;
      const request = async (): Promise<string | undefined> => {
        for (let step = 0; step < stepsPerSession; step += 1) await this.#step(db);
        return db.token();
      };
      token = sessions ? await db.session(request, { token }) : await request();
    } while (random() < handOverShare);
  }

  async #step(db: Cluster): Promise<void> {
    const { random } = this.#options;
    const draw = random();
    try {
      if (draw < writeShare) await this.#write(db);
      else if (draw < writeShare + primaryReadShare) await this.#readPrimary(db);
      else if (draw < writeShare + primaryReadShare + branchShare) {
        await Promise.all([this.#read(db), this.#read(db), this.#read(db)]);
      } else await this.#read(db);
    } catch (error) {
      const code = String((error as { readonly code?: unknown }).code ?? error);
      this.#result.failures.set(code, (this.#result.failures.get(code) ?? 0) + 1);
    }
  }

  async #write(db: Cluster): Promise<void> {
    const id = Math.floor(this.#options.random() * counterCount);
    const value = await db.transaction(async (tx) => {
      await tx.execute('UPDATE counters SET n = n + 1 WHERE id = ?', [id]);
      return await tx.value<number>('SELECT n FROM counters WHERE id = ?', [id]);
    });
    this.#observer.wrote(id, value);
    this.#result.writes += 1;
  }

  async #read(db: Cluster): Promise<void> {
    const check = this.#observer.expectation();
    const { rows, server } = await db.replica<CounterRow>().queryWithInfo('SELECT id, n FROM counters');
    this.#result.reads += 1;
    this.#result.byServer.set(server, (this.#result.byServer.get(server) ?? 0) + 1);
    this.#result.violations.push(...check(countersOf(rows), server));
  }

  async #readPrimary(db: Cluster): Promise<void> {
    const check = this.#observer.expectation();
    const { rows, server } = await db.primary<CounterRow>().queryWithInfo('SELECT id, n FROM counters');
    this.#result.behindReplica.push(...check(countersOf(rows), server));
  }
}

interface CounterRow {
  readonly id: number;
  readonly n: number;
}

function countersOf(rows: readonly CounterRow[]): Counters {
  return new Map(rows.map(({ id, n }) => [id, n]));
}
