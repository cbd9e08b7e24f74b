import { afterEach } from 'vitest';
import { resolveConfig } from '../../../src/config/resolve.ts';
import type { ClusterConfig } from '../../../src/config/types.ts';
import { ClusterEmitter } from '../../../src/observe/emitter.ts';
import type { ClusterEvents, EventName } from '../../../src/observe/events.ts';
import { ownCommand } from '../../../src/pool/command.ts';
import type { Connection } from '../../../src/pool/connection.ts';
import { RetryBudget } from '../../../src/resilience/budget.ts';
import { Deadline } from '../../../src/resilience/deadline.ts';
import type { Failure } from '../../../src/resilience/failures.ts';
import { Retries } from '../../../src/resilience/retries.ts';
import { type ReadOptions, ReadRouter } from '../../../src/routing/read-router.ts';
import type { Lab } from '../../../src/testing/index.ts';
import type { Resolve } from '../../../src/topology/discovery.ts';
import { Primary } from '../../../src/topology/primary.ts';
import { ReplicaCollisions } from '../../../src/topology/replica-collisions.ts';
import { ReplicaSet } from '../../../src/topology/replica-set.ts';

const opened: ReadCluster[] = [];

afterEach(() => {
  for (const cluster of opened.splice(0)) cluster.close();
});

const closed: Failure = {
  kind: 'lost',
  outcome: 'unknown',
  message: 'the test is over',
  cause: undefined,
  connection: 'destroy',
};

/** Everything below the replica handle, on a lab: closed after the test. */
export class ReadCluster {
  readonly set: ReplicaSet;
  readonly router: ReadRouter;
  readonly primary: Primary;
  readonly events = new ClusterEmitter();
  readonly #timeoutMs: number;

  constructor(input: ClusterConfig, resolve?: Resolve) {
    const config = resolveConfig(input);
    const { events } = this;
    this.#timeoutMs = config.timeoutMs;
    this.primary = new Primary({
      config,
      events,
      onHostBlocked: () => {},
      onIdentity: (identity) => this.set.primaryChanged(identity),
    });
    this.set = new ReplicaSet({
      config,
      events,
      collisions: new ReplicaCollisions(events),
      primary: this.primary,
      onHostBlocked: ({ name }) => events.emit('host:blocked', { server: name, remedy: 'FLUSH HOSTS' }),
      ...(resolve !== undefined && { resolve }),
    });
    this.router = new ReadRouter({
      config,
      replicas: this.set,
      primary: this.primary,
      retries: new Retries({ ...config.retry, budget: new RetryBudget(config.retry.budget), events }),
      events,
    });
    opened.push(this);
  }

  start(): this {
    this.primary.start();
    this.set.start();
    return this;
  }

  /** The first column of the first row. */
  async value(sql: string, options: ReadOptions & { readonly timeoutMs?: number } = {}): Promise<unknown> {
    const deadline = new Deadline(options.timeoutMs ?? this.#timeoutMs);
    return await this.router.read(deadline, (connection) => firstValue(connection, sql, deadline), options);
  }

  record<E extends EventName>(name: E): ClusterEvents[E][] {
    const list: ClusterEvents[E][] = [];
    this.events.on(name, (event) => {
      list.push(event);
    });
    return list;
  }

  close(): void {
    this.primary.close(closed);
    this.set.close(closed);
  }
}

export function openReads(lab: Lab, config: Partial<ClusterConfig> = {}, resolve?: Resolve): ReadCluster {
  return new ReadCluster({ ...lab.config(), ...config }, resolve).start();
}

export async function firstValue(connection: Connection, sql: string, deadline: Deadline): Promise<unknown> {
  const { rows } = await connection.run(ownCommand(sql), deadline);
  const [row] = rows as Record<string, unknown>[];
  return Object.values(row ?? {})[0];
}

export interface Load {
  /** In the order of their ends. */
  readonly reads: readonly { readonly endedAt: number; readonly tookMs: number }[];
  readonly failures: readonly unknown[];
}

/** Runs reads from `callers` callers, one after another each, until `until` settles. */
export async function readUnderLoad(
  cluster: ReadCluster,
  callers: number,
  until: Promise<unknown>,
): Promise<Load> {
  const reads: { readonly endedAt: number; readonly tookMs: number }[] = [];
  const failures: unknown[] = [];
  let running = true;
  const call = async (): Promise<void> => {
    while (running) {
      const startedAt = performance.now();
      try {
        await cluster.value('SELECT 1');
      } catch (error) {
        failures.push(error);
        // Reads that fail at once must not keep the script from going on.
        await new Promise((resolve) => setImmediate(resolve));
      }
      const endedAt = performance.now();
      reads.push({ endedAt, tookMs: endedAt - startedAt });
    }
  };
  const all = Promise.all(Array.from({ length: callers }, call));
  await until.finally(() => {
    running = false;
  });
  await all;
  return { reads, failures };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
