import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, createCluster } from '../../src/index.ts';
import type { LabClusterConfig } from '../../src/testing/index.ts';
import { nowMs } from './clock.ts';

/** What a process of clients is started with. */
export interface ReconnectSetup {
  readonly config: LabClusterConfig;
  readonly ca: string;
  readonly clients: number;
}

/** What it tells: all clients have written once; all have written in their second epoch, at these times. */
export type ReconnectReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'back'; readonly at: readonly number[] };

const pauseMs = 50;

const { config, ca, clients } = JSON.parse(process.argv[2] ?? '') as ReconnectSetup;

process.on('disconnect', () => process.exit());

const all: Promise<number>[] = [];
// One after another: only the return is to be a rush.
for (let opened = 0; opened < clients; opened += 1) {
  const db = createCluster({ ...config, ssl: { ca, verifyIdentity: false } });
  await db.ready({ timeoutMs: 60_000 });
  await firstWrite(db, 1);
  all.push(
    new Promise<void>((resolve) => db.once('epoch:opened', () => resolve())).then(() => firstWrite(db, 2)),
  );
}
reply({ kind: 'ready' });
reply({ kind: 'back', at: await Promise.all(all) });

/** Writes until a write has been acknowledged in that epoch, and says when. */
async function firstWrite(db: Cluster, epoch: number): Promise<number> {
  for (;;) {
    const result = await db
      .primary()
      .execute('INSERT INTO reconnect () VALUES ()')
      .catch(() => undefined);
    if ((result?.epoch ?? 0) >= epoch) return nowMs();
    await sleep(pauseMs);
  }
}

function reply(message: ReconnectReply): void {
  process.send?.(message);
}
