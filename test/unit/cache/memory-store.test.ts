import { expect, test } from 'vitest';
import { MemoryStore } from '../../../src/cache/stores/memory-store.ts';
import { describeStore } from '../../support/store-contract.ts';

describeStore('the memory of this process', async () => new MemoryStore());

const order = (name: string) => ({ name, gen: name, lease: undefined, keepMs: 60_000 });

test('the record that was used longest ago makes room for a new one', async () => {
  const store = new MemoryStore(2);
  await store.open('memory.p', [order('a'), order('b')]);
  await store.get('memory.p', ['a']);
  await store.open('memory.p', [order('c')]);
  const records = await store.get('memory.p', ['a', 'b', 'c']);
  expect(records.map((record) => record?.gen)).toEqual(['a', undefined, 'c']);
});

test('values that take too much make room for new ones', async () => {
  const store = new MemoryStore(100, 1_000);
  const fill = async (name: string, bytes: number): Promise<void> => {
    await store.open('memory.p', [{ ...order(name), lease: { id: name, ms: 1_000, seenFill: '' } }]);
    const value = { proof: '', proven: '', payload: Buffer.alloc(bytes), loadMs: 1, ttlMs: 60_000 };
    await store.fill('memory.p', { name, lease: name, fence: '', keepMs: 60_000, ...value }, []);
  };
  for (const name of ['a', 'b', 'c']) await fill(name, 400);
  const complete = { name: 'c', id: '', gen: 'c2', fence: '', keepMs: 60_000 };
  expect((await store.get('memory.p', ['a', 'b', 'c'])).map((record) => record?.filled?.by)).toEqual([
    undefined,
    'b',
    'c',
  ]);
  await store.complete('memory.p', [complete]);
  await fill('d', 500);
  expect((await store.get('memory.p', ['b', 'd'])).map((record) => record?.filled?.by)).toEqual(['b', 'd']);
});
