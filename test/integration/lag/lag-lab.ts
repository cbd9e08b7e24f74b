import type { Cluster } from '../../../src/index.ts';
import type { LabServer, LabVendor } from '../../../src/testing/index.ts';

/** Looks four times a second; a replica may be as old as eight looks. */
export const limits = { maxLagMs: 2_000, intervalMs: 250 } as const;

export function lagOf(db: Cluster, server: LabServer): number | undefined {
  return db.status().replicas.find(({ name }) => name === server.address)?.lagMs;
}

export function stateOf(db: Cluster, server: LabServer): string | undefined {
  return db.status().replicas.find(({ name }) => name === server.address)?.state;
}

/** The ids of the servers that answered so many reads. */
export async function readersOf(
  db: Cluster,
  options: { readonly maxLagMs?: number } = {},
  reads = 20,
): Promise<Set<number>> {
  const ids = await Promise.all(
    Array.from({ length: reads }, () => db.replica().value<number>('SELECT @@server_id', [], options)),
  );
  return new Set(ids);
}

export async function idOf(server: LabServer): Promise<number> {
  const [row] = await server.query<{ id: number }>('SELECT @@server_id AS id');
  return Number(row?.id);
}

/** Lets a replica apply everything so many seconds late. */
export async function delay(vendor: LabVendor, server: LabServer, seconds: number): Promise<void> {
  const statements =
    vendor === 'mysql'
      ? [
          'STOP REPLICA SQL_THREAD',
          `CHANGE REPLICATION SOURCE TO SOURCE_DELAY=${seconds}`,
          'START REPLICA SQL_THREAD',
        ]
      : ['STOP SLAVE', `CHANGE MASTER TO MASTER_DELAY=${seconds}`, 'START SLAVE'];
  for (const statement of statements) await server.query(statement);
}

/** Writes again and again until it is stopped. */
export function keepWriting(write: () => Promise<unknown>, everyMs: number): { stop(): Promise<void> } {
  const life = new AbortController();
  const done = (async () => {
    while (!life.signal.aborted) {
      await write();
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  })();
  return {
    stop: async () => {
      life.abort();
      await done;
    },
  };
}
