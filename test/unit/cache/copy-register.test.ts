import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CopyRegister, longestCopyMs } from '../../../src/cache/copy-register.ts';
import { StoreGuard } from '../../../src/cache/store-guard.ts';
import { MemoryStore } from '../../../src/cache/stores/memory-store.ts';
import { ClusterEmitter } from '../../../src/observe/emitter.ts';

describe('the register of copies', () => {
  const [era, name] = ['memory.p', 'vipsql:main:c'];
  let store: MemoryStore;
  let guard: StoreGuard;

  beforeEach(() => {
    store = new MemoryStore();
    const events = new ClusterEmitter();
    guard = new StoreGuard({
      connect: () => store,
      events,
      readBudgetMs: 1_000,
      writeBudgetMs: 1_000,
      onBack() {},
    });
  });
  afterEach(() => guard.close());

  const process = (copyMs: number) => new CopyRegister({ guard: () => guard, era: () => era, name, copyMs });
  const record = async () => (await store.get(era, [name]))[0];
  const waitOf = async (register: CopyRegister) => (await register.lastEnd()) - performance.now();
  /** As if it had known for long what it knows. */
  const later = () => new Promise((resolve) => setTimeout(resolve, longestCopyMs));

  test('allows copies of what came with the entry that was known before', async () => {
    const reader = process(50);
    expect(reader.allows(reader.known(era), era, await record())).toBe(false);
    await reader.enter();
    const known = reader.known(era);
    expect(known).toBeDefined();
    expect(reader.allows(known, era, await record())).toBe(true);
    expect(reader.known('memory.q')).toBeUndefined();
    expect(reader.allows(undefined, era, await record())).toBe(false);
  });

  test('has writers wait for the longest copies, and no longer', async () => {
    const [writer, reader, greater] = [process(0), process(20), process(100)];
    await writer.enter();
    await later();
    expect(await waitOf(writer)).toBeLessThanOrEqual(0);
    await reader.enter();
    await greater.enter();
    await writer.lastEnd();
    await later();
    expect(await waitOf(writer)).toBeGreaterThan(50);
    expect(await waitOf(writer)).toBeLessThanOrEqual(100);
  });

  test('has writers wait as long as may be when it is another one than they knew, or gone', async () => {
    const [writer, reader] = [process(0), process(20)];
    expect(await waitOf(writer)).toBeGreaterThan(longestCopyMs / 2);
    await writer.enter();
    await later();
    await reader.enter();
    expect(await waitOf(writer)).toBeGreaterThan(longestCopyMs / 2);
  });

  test('lets a process take no copies any more once its entry was replaced by a lesser one', async () => {
    const reader = process(50);
    await reader.enter();
    const known = reader.known(era);
    const order = { name, id: '', gen: '0.other', fence: undefined, keepMs: 1_000 };
    await store.complete(era, [order]);
    expect(reader.allows(known, era, await record())).toBe(false);
    await reader.enter();
    expect(reader.allows(reader.known(era), era, await record())).toBe(true);
  });

  test('keeps the greatest entry', async () => {
    const [reader, greater] = [process(20), process(100)];
    await Promise.all([reader.enter(), greater.enter()]);
    await reader.enter();
    await greater.enter();
    for (const register of [reader, greater]) {
      expect(register.allows(register.known(era), era, await record())).toBe(true);
    }
  });

  test('is as good as gone when the store is away', async () => {
    const writer = process(0);
    await writer.enter();
    await later();
    guard.close();
    store.get = () => Promise.reject(new Error('gone'));
    expect(await waitOf(writer)).toBeGreaterThan(longestCopyMs / 2);
  });
});
