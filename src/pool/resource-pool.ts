import genericPool from 'generic-pool';

export interface ResourcePoolSettings<T> {
  readonly max: number;
  /** Resources kept although they rest. */
  readonly min: number;
  /** A resource above `min` that has rested this long is destroyed. */
  readonly idleMs: number;
  /** A resource that is of no use any more is destroyed while it rests, and replaced where that leaves fewer than `min`. */
  readonly isSpent: (resource: T) => boolean;
}

/** Resources at rest are looked through this often, or twice in `idleMs` where that is shorter. */
const longestSweepGapMs = 5_000;

interface Resting<T> {
  readonly obj: T;
  readonly lastIdleTime: number;
}

interface EvictionSettings {
  readonly softIdleTimeoutMillis: number;
  readonly min: number;
}

/** generic-pool's documented extension points, which its typings leave out. */
interface GenericPool {
  readonly Pool: new <T>(
    evictor: new () => {
      evict(settings: EvictionSettings, resting: Resting<T>, restingCount: number): boolean;
    },
    deque: unknown,
    queue: unknown,
    factory: genericPool.Factory<T>,
    options: genericPool.Options,
  ) => genericPool.Pool<T>;
  readonly Deque: unknown;
  readonly PriorityQueue: unknown;
}

/** Makes a generic-pool that lends what was used last, and rids itself of what is of no use at rest. */
export function createResourcePool<T>(
  factory: genericPool.Factory<T>,
  { max, min, idleMs, isSpent }: ResourcePoolSettings<T>,
): genericPool.Pool<T> {
  const { Pool, Deque, PriorityQueue } = genericPool as unknown as GenericPool;
  class Evictor {
    evict(settings: EvictionSettings, resting: Resting<T>, restingCount: number): boolean {
      if (isSpent(resting.obj)) return true;
      return (
        restingCount > settings.min && Date.now() - resting.lastIdleTime > settings.softIdleTimeoutMillis
      );
    }
  }
  return new Pool(Evictor, Deque, PriorityQueue, factory, {
    max,
    min,
    fifo: false,
    autostart: false,
    softIdleTimeoutMillis: idleMs,
    evictionRunIntervalMillis: Math.min(longestSweepGapMs, idleMs / 2),
    numTestsPerEvictionRun: max,
  });
}
