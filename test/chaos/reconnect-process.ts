import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, createCluster } from '../../src/index.ts';
import type { LabClusterConfig } from '../../src/testing/index.ts';
import { nowMs } from './clock.ts';

/** What a process of clients is started with. */
export interface ReconnectSetup {
  readonly config: LabClusterConfig;
  readonly ca: string;
  readonly clusters: number;
  /** Connections of each, all in use at the same time. */
  readonly connections: number;
}

/** What it tells of its clusters, and of what went wrong. */
export type ReconnectReply =
  /** Every connection of one cluster has written. */
  | { readonly kind: 'opened' }
  /** One connection has written in the second epoch. */
  | { readonly kind: 'back'; readonly at: number }
  | { readonly kind: 'trouble'; readonly what: string };

const pauseMs = 50;

const { config, ca, clusters, connections } = JSON.parse(process.argv[2] ?? '') as ReconnectSetup;

process.on('disconnect', () => process.exit());

// Clients have machines of their own elsewhere: here they leave the processors to the server first.
setPriority(constants.priority.PRIORITY_LOW);

// One after another: only the return is to be a rush.
for (let opened = 0; opened < clusters; opened += 1) {
  const db = createCluster({
    ...config,
    ssl: { ca, verifyIdentity: false },
    pool: { primary: { max: connections } },
  });
  db.on('host:blocked', () => reply({ kind: 'trouble', what: 'host:blocked' }));
  await useAll(db, 1, () => {});
  reply({ kind: 'opened' });
  db.once('epoch:opened', () => void useAll(db, 2, () => reply({ kind: 'back', at: nowMs() })));
}

/** Writes over every connection at the same time, and tells of each that has written in that epoch. */
async function useAll(db: Cluster, epoch: number, onWritten: () => void): Promise<void> {
  const waitForAll = barrier(connections);
  await Promise.all(
    Array.from({ length: connections }, () => writeUntil(db, { epoch, onWritten, waitForAll })),
  );
}

interface Writing {
  readonly epoch: number;
  readonly onWritten: () => void;
  /** Keeps the connection until all others have written too. */
  readonly waitForAll: () => Promise<void>;
}

async function writeUntil(db: Cluster, { epoch, onWritten, waitForAll }: Writing): Promise<void> {
  let hasWritten = false;
  while (!hasWritten) {
    await db
      .transaction(async (tx) => {
        const result = await tx.execute('INSERT INTO reconnect () VALUES ()');
        if (hasWritten || (result.epoch ?? 0) < epoch) return;
        hasWritten = true;
        onWritten();
        await waitForAll();
      })
      .catch((error: unknown) => reply({ kind: 'trouble', what: String(error) }));
    if (!hasWritten) await sleep(pauseMs);
  }
}

/** Resolves for all once so many wait. */
function barrier(count: number): () => Promise<void> {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let waiting = 0;
  return () => {
    waiting += 1;
    if (waiting === count) open();
    return opened;
  };
}

function reply(message: ReconnectReply): void {
  process.send?.(message);
}
