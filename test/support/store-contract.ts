import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CacheStore, CompleteOrder, FillOrder, Opened } from '../../src/cache/store.ts';
import { GtidList } from '../../src/consistency/gtid-list.ts';
import { GtidSet } from '../../src/consistency/gtid-set.ts';
import { eventually } from './eventually.ts';

const keepMs = 60_000;
const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';

/** What every store has to do, whatever it keeps its records in. */
export function describeStore(name: string, open: () => Promise<CacheStore>): void {
  describe(`${name} as a store`, () => {
    let store: CacheStore;
    let era: string;

    beforeAll(async () => {
      store = await open();
      era = `${store.life}.primary`;
    });
    afterAll(() => store?.close());

    const fresh = (): string => `contract:${randomUUID()}`;
    const seen = async (record: string) => (await store.get(era, [record]))[0];
    const openOne = async (record: string, lease?: string, seenFill = '', at = era): Promise<Opened> => {
      const order = {
        name: record,
        gen: randomUUID(),
        lease: lease === undefined ? undefined : { id: lease, ms: 30_000, seenFill },
        keepMs,
      };
      return (await store.open(at, [order]))[0] as Opened;
    };
    const fill = (record: string, lease: string, more: Partial<FillOrder> = {}): Promise<boolean> =>
      store.fill(
        era,
        {
          name: record,
          lease,
          fence: undefined,
          proof: 'proof',
          proven: '0-1-7',
          payload: Buffer.from('value'),
          loadMs: 12,
          ttlMs: 30_000,
          keepMs,
          ...more,
        },
        [],
      );
    const complete = (record: string, fence: string | undefined, more: Partial<CompleteOrder> = {}) =>
      store.complete(era, [{ name: record, id: '', gen: randomUUID(), fence, keepMs, ...more }]);
    const mark = (record: string, id: string, ms = 30_000, at = era) =>
      store.mark(at, [{ name: record, id, gen: randomUUID(), ms, keepMs: ms + keepMs }]);
    /** A record with that fence and a value. */
    const filledWith = async (fence: string): Promise<string> => {
      const record = fresh();
      await openOne(record, 'first');
      expect(await fill(record, 'first', { fence })).toBe(true);
      return record;
    };
    const fenceOf = async (record: string): Promise<string> => (await openOne(record)).fence;

    test('does not know what was never there', async () => {
      expect(await store.get(era, [fresh(), fresh()])).toEqual([undefined, undefined]);
    });

    test('answers for several names in their order', async () => {
      const [a, b] = [await filledWith('0-1-1'), fresh()];
      await openOne(b);
      const [first, second, third] = await store.get(era, [b, fresh(), a]);
      expect([first?.filled, second, third?.filled?.payload.toString()]).toEqual([
        undefined,
        undefined,
        'value',
      ]);
    });

    test('makes a record whose fence is unknown, and keeps its generation', async () => {
      const record = fresh();
      const { gen, fence, isPending, lease } = await openOne(record);
      expect({ fence, isPending, lease }).toEqual({ fence: '?', isPending: false, lease: 'none' });
      expect((await openOne(record)).gen).toBe(gen);
      expect(await seen(record)).toEqual({ era, gen, isPending: false, filled: undefined });
    });

    test('grants the lease to the first, and tells the others how long it is held', async () => {
      const record = fresh();
      expect((await openOne(record, 'a')).lease).toBe('granted');
      const { lease, heldMs } = await openOne(record, 'b');
      expect(lease).toBe('held');
      expect(heldMs).toBeGreaterThan(20_000);
      expect(heldMs).toBeLessThanOrEqual(30_000);
    });

    test('waits for no lease that was taken for something else', async () => {
      const record = fresh();
      await openOne(record, 'tags-1.a');
      expect((await openOne(record, 'tags-1.b')).lease).toBe('held');
      expect((await openOne(record, 'tags-2.c')).lease).toBe('granted');
      expect(await fill(record, 'tags-1.a')).toBe(false);
      expect(await fill(record, 'tags-2.c')).toBe(true);
    });

    test('grants a lease that has run out to the next one, and lets the first fill no more', async () => {
      const record = fresh();
      const short = { name: record, gen: 'g', lease: { id: 'a', ms: 20, seenFill: '' }, keepMs };
      await store.open(era, [short]);
      await eventually('the lease has run out', async () => (await openOne(record, 'b')).lease === 'granted');
      expect(await fill(record, 'a')).toBe(false);
      expect(await fill(record, 'b')).toBe(true);
    });

    test('lets the next one have a lease that is given back, and keeps the value', async () => {
      const record = await filledWith('0-1-1');
      const { gen } = (await seen(record)) ?? {};
      expect((await openOne(record, 'a', 'first')).lease).toBe('granted');
      await store.release(era, { name: record, lease: 'somebody' });
      expect((await openOne(record, 'b', 'first')).lease).toBe('held');
      await store.release(era, { name: record, lease: 'a' });
      expect((await openOne(record, 'b', 'first')).lease).toBe('granted');
      expect(await fill(record, 'a')).toBe(false);
      expect(await seen(record)).toMatchObject({ gen, filled: { by: 'first' } });
    });

    test('gives back no lease of what is not there, or of another era', async () => {
      const [record, absent] = [fresh(), fresh()];
      await openOne(record, 'a');
      await store.release(`${store.life}.another`, { name: record, lease: 'a' });
      await store.release(era, { name: absent, lease: 'a' });
      expect(await seen(absent)).toBeUndefined();
      expect(await fill(record, 'a')).toBe(true);
    });

    test('keeps a value byte for byte, with what is known of it', async () => {
      const record = fresh();
      const payload = Buffer.concat([Buffer.from('\n\n\0\r\n'), randomBytes(5_000), Buffer.from('\n')]);
      await openOne(record, 'a');
      expect(await fill(record, 'a', { payload, proof: 'what,g1,g2', proven: `${uuid}:1-9` })).toBe(true);
      const { filled } = (await seen(record)) ?? {};
      expect(filled).toMatchObject({ by: 'a', proof: 'what,g1,g2', proven: `${uuid}:1-9`, loadMs: 12 });
      expect(filled?.payload.equals(payload)).toBe(true);
      const leftMs = (filled?.freshUntil ?? 0) - store.now();
      expect(leftMs).toBeGreaterThan(25_000);
      expect(leftMs).toBeLessThan(31_000);
    });

    test('lets a lease fill once, and tells the next reader that somebody has', async () => {
      const record = await filledWith('');
      expect(await fill(record, 'first')).toBe(false);
      expect((await openOne(record, 'b')).lease).toBe('filled');
      expect((await openOne(record, 'b', 'first')).lease).toBe('granted');
      expect((await seen(record))?.filled?.by).toBe('first');
    });

    test('an invalidation drops value and lease and begins a generation', async () => {
      const record = await filledWith('0-1-1');
      const { gen } = (await seen(record)) ?? {};
      await openOne(record, 'late', 'first');
      await complete(record, '0-1-2');
      const after = await seen(record);
      expect(after?.filled).toBeUndefined();
      expect(after?.gen).not.toBe(gen);
      expect(await fill(record, 'late')).toBe(false);
      expect((await openOne(record, 'next')).lease).toBe('granted');
    });

    test('an invalidation of what is not there leaves it unknown', async () => {
      const record = fresh();
      await complete(record, '0-1-2');
      expect(await seen(record)).toBeUndefined();
    });

    test('a fill brings a fence in the place of an unknown one, or leaves it', async () => {
      const record = fresh();
      await openOne(record, 'a');
      await fill(record, 'a');
      expect(await fenceOf(record)).toBe('?');
      await openOne(record, 'b', 'a');
      await fill(record, 'b', { fence: '0-1-5' });
      expect(await fenceOf(record)).toBe('0-1-5');
      await openOne(record, 'c', 'b');
      await fill(record, 'c', { fence: '0-1-4' });
      expect(await fenceOf(record)).toBe('0-1-5');
    });

    test.each([
      ['one source of MariaDB, the higher number', '0-1-99', '0-1-100', '0-1-100'],
      ['one source of MariaDB, in the other order', '0-1-100', '0-1-99', '0-1-100'],
      ['two domains and servers of MariaDB', '0-1-9,1-2-3', '0-2-4', '0-1-9,1-2-3,0-2-4'],
      ['one source of MySQL, as one stretch', `${uuid}:3-3`, `${uuid}:9-9`, `${uuid}:3-9`],
      ['one source of MySQL, backwards', `${uuid}:10-20`, `${uuid}:9-9`, `${uuid}:9-20`],
      ['a tag of MySQL beside none', `${uuid}:3-3`, `${uuid}:shop:1-1`, `${uuid}:3-3,${uuid}:shop:1-1`],
      [
        'numbers that no double can hold',
        '0-1-18446744073709551614',
        '0-1-18446744073709551613',
        '0-1-18446744073709551614',
      ],
      ['nothing and something', '', '0-1-3', '0-1-3'],
      ['something and unknown', '0-1-3', '?', '?'],
      ['unknown and something', '?', '0-1-3', '?'],
      ['two vendors', `${uuid}:3-3`, '0-1-3', '?'],
    ])('unites fences: %s', async (_, before, added, union) => {
      const record = await filledWith(before);
      await complete(record, added);
      const fence = await fenceOf(record);
      expect(canonical(fence)).toBe(canonical(union));
    });

    test('gives up a fence that grows too long', async () => {
      const sources = Array.from({ length: 100 }, (_, server) => `0-${server + 1}-123456`);
      const record = await filledWith(sources.slice(0, 50).join(','));
      expect(await fenceOf(record)).not.toBe('?');
      await complete(record, sources.slice(50).join(','));
      expect(await fenceOf(record)).toBe('?');
    });

    test('a mark drops value and lease, and lets nobody fill before all marks are ended', async () => {
      const record = await filledWith('0-1-1');
      await openOne(record, 'late', 'first');
      await mark(record, 'one');
      await mark(record, 'two');
      expect(await fill(record, 'late')).toBe(false);
      expect(await seen(record)).toMatchObject({ isPending: true, filled: undefined });
      expect(await openOne(record, 'next')).toMatchObject({ lease: 'none', isPending: true });
      await complete(record, '0-1-2', { id: 'one' });
      expect(await openOne(record, 'next')).toMatchObject({ lease: 'none', isPending: true });
      await complete(record, '0-1-3', { id: 'two' });
      expect(await openOne(record, 'next')).toMatchObject({
        lease: 'granted',
        isPending: false,
        fence: '0-1-3',
      });
    });

    test('a mark that is taken back leaves the fence', async () => {
      const record = await filledWith('0-1-1');
      await mark(record, 'one');
      await complete(record, undefined, { id: 'one' });
      expect(await openOne(record, 'a')).toMatchObject({
        fence: '0-1-1',
        isPending: false,
        lease: 'granted',
      });
    });

    test('a mark of what is not there keeps values out of it', async () => {
      const record = fresh();
      await mark(record, 'one');
      expect(await openOne(record, 'a')).toMatchObject({ fence: '?', isPending: true, lease: 'none' });
    });

    test('a mark that nobody ends leaves an unknown fence', async () => {
      const record = await filledWith('0-1-1');
      await mark(record, 'one', 60);
      const { gen } = (await seen(record)) ?? {};
      await eventually('the mark has ended', async () => !(await openOne(record)).isPending);
      const after = await openOne(record, 'a');
      expect(after).toMatchObject({ fence: '?', lease: 'granted' });
      expect(after.gen).not.toBe(gen);
      await complete(record, '0-1-2', { id: 'one' });
      expect(await fill(record, 'a')).toBe(false);
      expect(await fenceOf(record)).toBe('?');
    });

    test('a record of another era is unknown, but for its marks', async () => {
      const record = await filledWith('0-1-1');
      await mark(record, 'one');
      const later = `${store.life}.another`;
      expect(await openOne(record, 'a', '', later)).toMatchObject({ fence: '?', isPending: true });
      expect((await seen(record))?.era).toBe(later);
    });

    test('a value of another era is not there any more once it was opened', async () => {
      const record = await filledWith('0-1-1');
      const later = `${store.life}.another`;
      expect(await openOne(record, 'a', 'first', later)).toMatchObject({ fence: '?', lease: 'granted' });
      expect((await seen(record))?.filled).toBeUndefined();
      expect(await fill(record, 'a')).toBe(false);
    });

    test('an invalidation of another era leaves nothing known', async () => {
      const record = await filledWith('0-1-1');
      const order = { name: record, id: '', gen: 'g', fence: '0-1-2', keepMs };
      await store.complete(`${store.life}.another`, [order]);
      expect(await fenceOf(record)).toBe('?');
      expect((await seen(record))?.filled).toBeUndefined();
    });

    test('settles the fence of a tag while that is of the same generation', async () => {
      const [entry, tag, moved] = [fresh(), fresh(), fresh()];
      await openOne(entry, 'a');
      const { gen } = await openOne(tag);
      const before = await openOne(moved);
      await complete(moved, '0-1-9');
      const settled = [
        { name: tag, gen, fence: '0-1-4' },
        { name: moved, gen: before.gen, fence: '0-1-4' },
      ];
      const order = {
        name: entry,
        lease: 'a',
        fence: '0-1-4',
        proof: '',
        proven: '',
        payload: Buffer.from('x'),
        loadMs: 12,
        ttlMs: 30_000,
        keepMs,
      };
      expect(await store.fill(era, order, settled)).toBe(true);
      expect(await fenceOf(tag)).toBe('0-1-4');
      expect(await fenceOf(moved)).toBe('?');
    });
  });
}

function canonical(fence: string): string {
  if (fence === '?' || fence === '') return fence;
  return String(fence.includes(':') ? GtidSet.parse(fence) : GtidList.parse(fence));
}
