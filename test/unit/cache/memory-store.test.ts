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
