import { type CacheStatus, createCluster } from '../../src/index.ts';
import type { LabClusterConfig } from '../../src/testing/index.ts';
import { eventually } from '../support/eventually.ts';
import { selectNumber } from './race.ts';

export interface StampedeSetup {
  readonly config: LabClusterConfig;
  readonly redis: string;
  readonly readBudgetMs: number;
  readonly loadMs: number;
}

export interface StampedeOrder {
  readonly id: number;
  readonly readers: number;
  readonly tags: readonly string[];
}

export type StampedeReply =
  | { readonly kind: 'ready' }
  /** One of the readers asks the database. */
  | { readonly kind: 'load' }
  | {
      readonly kind: 'done';
      /** Every number that a reader was given. */
      readonly numbers: readonly number[];
      readonly tookMs: number;
      readonly status: CacheStatus | undefined;
    }
  | { readonly kind: 'failed'; readonly message: string };

const { config, redis, readBudgetMs, loadMs } = JSON.parse(process.argv[2] ?? '') as StampedeSetup;
const db = createCluster({ ...config, cache: { redis, readBudgetMs, ttlMs: 600_000 } });

// The parent is gone: nobody wants to know any more.
process.on('disconnect', () => process.exit());
process.on('message', (order: StampedeOrder) => void readAll(order).catch(failed));
prepare().catch(failed);

async function prepare(): Promise<void> {
  await db.ready();
  await eventually('the cache is ready', () => db.status().cache?.state === 'ready');
  reply({ kind: 'ready' });
}

async function readAll({ id, readers, tags }: StampedeOrder): Promise<void> {
  const startedAt = performance.now();
  const read = (): Promise<number> =>
    db.cache.read(
      `stampede:${id}`,
      async (source) => {
        reply({ kind: 'load' });
        const n = await source.replica().value<number>(selectNumber, [id]);
        await new Promise((resolve) => setTimeout(resolve, loadMs));
        return n;
      },
      { tags },
    );
  const found = await Promise.all(Array.from({ length: readers }, read));
  const tookMs = performance.now() - startedAt;
  reply({ kind: 'done', numbers: [...new Set(found)], tookMs, status: db.status().cache });
}

function failed(error: unknown): void {
  reply({ kind: 'failed', message: String(error) });
}

function reply(message: StampedeReply): void {
  process.send?.(message);
}
