import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Invalidator } from '../../../src/cache/invalidator.ts';
import { RecordNames } from '../../../src/cache/names.ts';
import { Quarantine } from '../../../src/cache/quarantine.ts';
import { CacheStats } from '../../../src/cache/stats.ts';
import { StoreGuard } from '../../../src/cache/store-guard.ts';
import { MemoryStore } from '../../../src/cache/stores/memory-store.ts';
import { TableTags } from '../../../src/cache/table-tags.ts';
import { ClusterEmitter } from '../../../src/observe/emitter.ts';

describe('an invalidation that was announced', () => {
  const era = 'memory.p';
  const names = new RecordNames('main');
  let store: MemoryStore;
  let guard: StoreGuard;
  let quarantine: Quarantine;
  let invalidator: Invalidator;

  beforeEach(() => {
    const events = new ClusterEmitter();
    store = new MemoryStore();
    guard = new StoreGuard({
      connect: () => store,
      events,
      readBudgetMs: 1_000,
      writeBudgetMs: 1_000,
      onBack() {},
    });
    quarantine = new Quarantine({ guard: () => guard, era: () => era });
    invalidator = new Invalidator({
      guard,
      stats: new CacheStats(),
      names,
      tables: new TableTags([], 'shop'),
      quarantine,
      events,
      era: () => era,
      register: undefined,
      copies: undefined,
      onFailure: 'report',
    });
  });
  afterEach(async () => {
    await quarantine.close();
    guard.close();
  });

  const opened = async () =>
    (await store.open(era, [{ name: names.entry('k'), gen: 'g', lease: undefined, keepMs: 1e6 }]))[0];

  test('keeps everything out until it ends', async () => {
    await opened();
    const pending = await invalidator.announce({ keys: ['k'] }, 1_000);
    expect(await opened()).toMatchObject({ isPending: true });
    await pending.committed('0-1-7');
    expect(await opened()).toMatchObject({ isPending: false, fence: '?' });
  });

  test('is taken back by a rollback', async () => {
    await opened();
    const pending = await invalidator.announce({ keys: ['k'] }, 1_000);
    await pending.rolledBack();
    expect(await opened()).toMatchObject({ isPending: false });
    expect(quarantine.size).toBe(0);
  });

  test('stays when nobody knows what became of the write', async () => {
    const pending = await invalidator.announce({ keys: ['k'] }, 1_000);
    pending.inDoubt();
    expect(await opened()).toMatchObject({ isPending: true });
  });

  test('that was carried out though its answer came too late is ended all the same', async () => {
    const { mark } = store;
    store.mark = async (...args) => {
      await mark.apply(store, args);
      throw new Error('no answer');
    };
    const pending = await invalidator.announce({ keys: ['k'] }, 1_000);
    expect(await opened()).toMatchObject({ isPending: true });
    await pending.committed('0-1-7');
    expect(await opened()).toMatchObject({ isPending: false });
  });
});
