import { describe, expect, test } from 'vitest';
import { readSlots, slotOf } from '../../../src/cache/stores/redis-slots.ts';

describe('slotOf', () => {
  // As CLUSTER KEYSLOT of Redis 7.0 says.
  test.each([
    ['', 0],
    ['123456789', 12_739],
    ['foo', 12_182],
    ['{user1000}.following', 3_443],
    ['{user1000}.followers', 3_443],
    ['foo{}{bar}', 8_363],
    ['foo{{bar}}zap', 4_015],
    ['foo{bar}{zap}', 5_061],
    ['Grüße, 世界', 6_978],
  ])('of %j is %d', (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });
});

describe('readSlots', () => {
  test('knows whose the slots are', () => {
    const { owners, masters, replicas } = readSlots(
      [
        [0, 99, ['10.0.0.1', 7_000, 'id-1', []], ['10.0.0.2', 7_001, 'id-2', []]],
        [200, 200, ['10.0.0.1', 7_000, 'id-1', []]],
        [201, 16_383, ['::1', '7002', 'id-3', []]],
      ],
      '10.0.0.9:7009',
    );
    expect([owners[0], owners[99], owners[100], owners[200], owners[16_383]]).toEqual([
      '10.0.0.1:7000',
      '10.0.0.1:7000',
      undefined,
      '10.0.0.1:7000',
      '::1:7002',
    ]);
    expect(owners).toHaveLength(16_384);
    expect(masters).toEqual(['10.0.0.1:7000', '::1:7002']);
    expect(replicas).toEqual(['10.0.0.2:7001']);
  });

  test.each([[''], [null], ['?']])('takes the host %j for the one that was asked', (host) => {
    expect(readSlots([[0, 16_383, [host, 7_000]]], '10.0.0.9:7009').masters).toEqual(['10.0.0.9:7000']);
  });
});
