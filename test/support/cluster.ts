import { afterEach } from 'vitest';
import {
  type Cluster,
  type ClusterConfig,
  type ClusterEvents,
  createCluster,
  type EventName,
} from '../../src/index.ts';
import type { Lab } from '../../src/testing/index.ts';
import { eventually, sleep } from './eventually.ts';

export { eventually, sleep };

const opened: Cluster[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((db) => db.close({ timeoutMs: 0 })));
});

/** A cluster on the lab, closed after the test. */
export function openCluster(lab: Lab, config: Partial<ClusterConfig> = {}): Cluster {
  const db = createCluster({ ...lab.config(), ...config });
  opened.push(db);
  return db;
}

/** The same, once the primary answers and every replica takes reads. */
export async function openServing(lab: Lab, config: Partial<ClusterConfig> = {}): Promise<Cluster> {
  const db = openCluster(lab, config);
  await db.ready();
  await eventually('every replica serves', () =>
    db.status().replicas.every(({ state }) => state === 'serving'),
  );
  return db;
}

/** Every event of one name, in order, with the time at which it came. */
export function recordEvents<E extends EventName>(
  db: Cluster,
  name: E,
): (ClusterEvents[E] & { readonly at: number })[] {
  const events: (ClusterEvents[E] & { readonly at: number })[] = [];
  db.on(name, (event) => {
    events.push({ ...event, at: performance.now() });
  });
  return events;
}

/** Resolves to what the promise rejected with; rejects when it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}
