import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Quarantine } from '../../../src/cache/quarantine.ts';
import { StoreGuard } from '../../../src/cache/store-guard.ts';
import { MemoryStore } from '../../../src/cache/stores/memory-store.ts';
import { ClusterEmitter } from '../../../src/observe/emitter.ts';

describe('undelivered invalidations', () => {
  let store: MemoryStore;
  let guard: StoreGuard;
  let era: string | undefined;
  let quarantine: Quarantine;

  beforeEach(() => {
    vi.useFakeTimers();
    store = new MemoryStore();
    guard = new StoreGuard({
      connect: () => store,
      events: new ClusterEmitter(),
      readBudgetMs: 1_000,
      writeBudgetMs: 1_000,
      onBack() {},
    });
    era = undefined;
    quarantine = new Quarantine({ guard: () => guard, era: () => era, maxRecords: 3 });
  });
  afterEach(async () => {
    await quarantine.close();
    guard.close();
    vi.useRealTimers();
  });

  const opened = async (name: string) =>
    (await store.open('memory.p', [{ name, gen: `${name}-1`, lease: undefined, keepMs: 1e9 }]))[0];

  test('are kept in mind, and tried again by themselves until they are delivered', async () => {
    await opened('a');
    expect(quarantine.add(['a', 'b'], '')).toBe(true);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([quarantine.size, quarantine.includes(['x', 'a']), quarantine.includes(['x'])]).toEqual([
      2,
      true,
      false,
    ]);
    era = 'memory.p';
    await vi.advanceTimersByTimeAsync(600);
    expect([quarantine.size, quarantine.includes(['a'])]).toEqual([0, false]);
    expect((await opened('a'))?.gen).not.toBe('a-1');
  });

  test('end the marks that they had set', async () => {
    await store.mark('memory.p', [{ name: 'a', id: 'm', gen: 'g', ms: 1e9, keepMs: 1e9 }]);
    quarantine.add(['a'], 'm');
    era = 'memory.p';
    await quarantine.deliver();
    expect(await opened('a')).toMatchObject({ isPending: false, fence: '?' });
  });

  test('of which there are too many keep everything out of the cache from then on', async () => {
    expect(quarantine.add(['a', 'b', 'c'], '')).toBe(true);
    expect(quarantine.add(['c'], '')).toBe(true);
    expect(quarantine.includes(['x'])).toBe(false);
    expect(quarantine.add(['d'], '')).toBe(false);
    expect(quarantine.includes(['x'])).toBe(true);
    era = 'memory.p';
    await quarantine.deliver();
    expect([quarantine.size, quarantine.includes(['x'])]).toEqual([0, true]);
  });

  test('of a write that may yet be carried out wait for that', async () => {
    await opened('a');
    quarantine.add(['a'], '', 30_000);
    era = 'memory.p';
    await quarantine.deliver();
    expect(quarantine.includes(['a'])).toBe(true);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(quarantine.includes(['a'])).toBe(false);
    expect((await opened('a'))?.gen).not.toBe('a-1');
  });

  test('that come while others are delivered stay', async () => {
    quarantine.add(['a'], '');
    era = 'memory.p';
    const delivering = quarantine.deliver();
    quarantine.add(['a'], 'again');
    era = undefined;
    await delivering;
    expect(quarantine.includes(['a'])).toBe(true);
  });
});
