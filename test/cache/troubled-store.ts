import type { CacheConfig } from '../../src/index.ts';

/** One thing that is done to a store; resolves when it is over. */
export type Trouble = (random: () => number) => Promise<unknown>;

/** A store of the cache, and what may become of it. */
export interface TroubledStore {
  /** What a cluster is told of it. */
  readonly cache: Pick<CacheConfig, 'redis' | 'memcached'>;
  /** Whether processes may keep copies of what is in it. */
  readonly allowsCopies: boolean;
  readonly troubles: Readonly<Record<string, Trouble>>;
  /** What else is worth telling in the end. */
  facts(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

export const noFacts = async (): Promise<Readonly<Record<string, number>>> => ({});
