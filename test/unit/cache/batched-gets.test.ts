import { describe, expect, test, vi } from 'vitest';
import { BatchedGets } from '../../../src/cache/stores/batched-gets.ts';

const upper = async (names: readonly string[]) => names.map((name) => name.toUpperCase());

describe('reads of records', () => {
  test('that come at the same moment are one question, and each name is asked for once', async () => {
    const ask = vi.fn(upper);
    const gets = new BatchedGets(ask);
    const answers = await Promise.all([gets.get(['a', 'b']), gets.get(['b', 'c', 'b']), gets.get(['a'])]);
    expect(answers).toEqual([['A', 'B'], ['B', 'C', 'B'], ['A']]);
    expect(ask.mock.calls).toEqual([[['a', 'b', 'c']]]);
  });

  test('are never answered by a question that was sent before', async () => {
    const ask = vi.fn(upper);
    const gets = new BatchedGets(ask);
    await gets.get(['a']);
    await gets.get(['a']);
    expect(ask).toHaveBeenCalledTimes(2);
  });

  test('are apart when the connection was cut between them', async () => {
    const ask = vi.fn(upper);
    const gets = new BatchedGets(ask);
    const before = gets.get(['a']);
    gets.cut();
    expect(await Promise.all([before, gets.get(['a'])])).toEqual([['A'], ['A']]);
    expect(ask).toHaveBeenCalledTimes(2);
    gets.cut();
    expect(ask).toHaveBeenCalledTimes(2);
  });

  test('go out at once when there are very many', async () => {
    const ask = vi.fn(upper);
    const gets = new BatchedGets(ask);
    const names = Array.from({ length: 40 }, (_, index) => `n${index}`);
    const answers = await Promise.all(names.map((name) => gets.get([name])));
    expect(answers).toEqual(names.map((name) => [name.toUpperCase()]));
    expect(ask).toHaveBeenCalledTimes(2);
  });

  test('all fail with their question', async () => {
    const gets = new BatchedGets<string>(() => Promise.reject(new Error('gone')));
    const answers = await Promise.allSettled([gets.get(['a']), gets.get(['b'])]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
