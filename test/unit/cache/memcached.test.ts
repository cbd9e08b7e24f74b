import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  boundsOf,
  type ClockBounds,
  clockMarginMs,
  narrowed,
  offsetIn,
} from '../../../src/cache/stores/memcached-clock.ts';
import { identityOf } from '../../../src/cache/stores/memcached-identity.ts';
import { memcachedKeyOf } from '../../../src/cache/stores/memcached-key.ts';
import { flagOf, type MemcachedReply, ReplyReader } from '../../../src/cache/stores/memcached-replies.ts';

describe('a key of memcached', () => {
  test('is the name where that is one', () => {
    for (const name of ['vipsql:main:e:product:3', 'a', 'x'.repeat(250), 'with"quotes"{}~!'])
      expect(memcachedKeyOf(name)).toBe(name);
  });

  test('is safe, whatever the name, and two names never share one', () => {
    const name = fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.string({ maxLength: 300 }));
    fc.assert(
      fc.property(name, name, (one, other) => {
        const keys = [one, other].map((each) => memcachedKeyOf(each));
        for (const key of keys) expect(key).toMatch(/^[!-~]{1,250}$/);
        expect(keys[0] === keys[1]).toBe(one === other);
        expect(memcachedKeyOf(memcachedKeyOf('a b'))).not.toBe(memcachedKeyOf('a b'));
      }),
    );
  });
});

describe('the clock of memcached', () => {
  /** What a server tells whose clock is `offset` later than this process's, and that last looked at it `staleMs` ago. */
  const looks = fc.record({
    askedAt: fc.integer({ min: 0, max: 100_000 }),
    tookMs: fc.integer({ min: 0, max: 1_500 }),
    answeredAfter: fc.double({ min: 0, max: 1, noNaN: true }),
    staleMs: fc.double({ min: 0, max: 1_000, noNaN: true }),
  });

  test('is between the bounds of what it has told, however often it was asked', () => {
    const offset = fc.double({ min: 0, max: 2e12, noNaN: true });
    fc.assert(
      fc.property(offset, fc.array(looks, { minLength: 1, maxLength: 20 }), (offsetMs, asked) => {
        let known: ClockBounds | undefined;
        for (const { askedAt, tookMs, answeredAfter, staleMs } of asked) {
          const at = askedAt + tookMs * answeredAfter;
          const second = Math.floor((at + offsetMs - staleMs) / 1_000);
          const seen = boundsOf({ second, askedAt, answeredAt: askedAt + tookMs });
          if (seen !== undefined) known = narrowed(known, seen);
        }
        if (known === undefined) return;
        // Doubles of this size are exact to a quarter of a millisecond.
        expect(offsetMs).toBeGreaterThanOrEqual(known.least - 1);
        expect(offsetMs).toBeLessThanOrEqual(known.most + 1);
        expect(Math.abs(offsetIn(known) - offsetMs)).toBeLessThanOrEqual(clockMarginMs / 2 + 1);
      }),
    );
  });

  test('is not told by an answer that took too long', () => {
    expect(boundsOf({ second: 5, askedAt: 0, answeredAt: 1_000 })).toBeDefined();
    expect(boundsOf({ second: 5, askedAt: 0, answeredAt: 1_001 })).toBeUndefined();
  });

  test('is the later one where two looks contradict each other', () => {
    const later = { least: 50, most: 60 };
    expect(narrowed({ least: 10, most: 20 }, later)).toEqual(later);
    expect(narrowed({ least: 10, most: 55 }, later)).toEqual({ least: 50, most: 55 });
  });
});

describe('answers of memcached', () => {
  const answer = fc.oneof(
    fc.constantFrom('HD O1', 'EN O2', 'EX', 'MN', 'SERVER_ERROR out of memory storing object', 'STAT pid 12'),
    fc.uint8Array({ maxLength: 300 }),
  );
  const bytesOf = (each: string | Uint8Array): Buffer =>
    typeof each === 'string'
      ? Buffer.from(`${each}\r\n`)
      : Buffer.concat([Buffer.from(`VA ${each.length} c9 O3\r\n`), each, Buffer.from('\r\n')]);

  test('are the same, in whatever pieces they come', () => {
    fc.assert(
      fc.property(fc.array(answer), fc.array(fc.integer({ min: 1, max: 40 })), (answers, lengths) => {
        const bytes = Buffer.concat(answers.map(bytesOf));
        const reader = new ReplyReader();
        const replies: MemcachedReply[] = [];
        let at = 0;
        for (let index = 0; at < bytes.length; index += 1) {
          const length = lengths[index % Math.max(1, lengths.length)] ?? bytes.length;
          replies.push(...reader.read(bytes.subarray(at, at + length)));
          at += length;
        }
        expect(replies).toHaveLength(answers.length);
        for (const [index, each] of answers.entries()) {
          const { code, rest, value } = replies[index] as MemcachedReply;
          if (typeof each === 'string') expect([code, rest].join(' ').trim()).toBe(each);
          else expect(value).toEqual(Buffer.from(each));
        }
      }),
    );
  });

  test('have flags, each with its letter', () => {
    const [reply] = new ReplyReader().read(Buffer.from('VA 2 c18446744073709551615 t-1 O7\r\nxx\r\n'));
    const flags = ['c', 't', 'O', 'k'].map((letter) => flagOf(reply as MemcachedReply, letter));
    expect(flags).toEqual(['18446744073709551615', '-1', '7', undefined]);
  });

  test.each([
    ['a value of another length', 'VA 1 O1\r\nabc\r\n'],
    ['a line without an end', 'x'.repeat(9_000)],
    ['a value of no length', 'VA O1\r\nabc\r\n'],
    ['a value of a negative length', 'VA -5 O1\r\nabc\r\n'],
  ])('are none with %s', (_, text) => {
    expect(() => new ReplyReader().read(Buffer.from(text))).toThrow(/memcached said/);
  });
});

describe('what memcached says of itself', () => {
  const stats = { pid: '12', time: '1795440129', uptime: '29', version: '1.6.18' };
  const settings = { cas_enabled: 'yes', item_size_max: '1048576' };
  const identify = (one: Record<string, string>, other: Record<string, string> = settings) =>
    identityOf(new Map(Object.entries(one)), new Map(Object.entries(other)));

  test('tells its life, which does not change with time', () => {
    const { life } = identify(stats);
    expect(life).toBe('12-1795440100');
    expect(identify({ ...stats, time: '1795440999', uptime: '899' }).life).toBe(life);
    expect(identify({ ...stats, pid: '13' }).life).not.toBe(life);
    expect(identify(stats)).toMatchObject({ second: 1_795_440_129, itemBytes: 1_048_576 });
  });

  test.each(['1.6.18', '1.6.40', '1.7.0', '2.0.1'])('may be that it is %s', (version) => {
    expect(() => identify({ ...stats, version })).not.toThrow();
  });

  test.each<[string, Record<string, string>, Record<string, string>, RegExp]>([
    ['too old', { ...stats, version: '1.6.17' }, settings, /1\.6\.17, and has to be 1\.6\.18/],
    ['much too old', { ...stats, version: '1.4.39' }, settings, /has to be/],
    ['of no version', { ...stats, version: '' }, settings, /has to be/],
    ['without time', { pid: '1', uptime: '2', version: '1.6.18' }, settings, /does not name/],
    ['without versions of values', stats, { ...settings, cas_enabled: 'no' }, /-C/],
    ['without settings', stats, {}, /does not name/],
  ])('keeps one from being used that is %s', (_, one, other, rule) => {
    expect(() => identify(one, other)).toThrow(rule);
  });
});
