import { describe, expect, it } from 'vitest';
import { type Floor, noFloor } from '../../../src/consistency/floor.ts';
import { GtidList } from '../../../src/consistency/gtid-list.ts';
import { requiredPosition, type Witnesses } from '../../../src/consistency/required-position.ts';

const r1 = { key: 'r1', startedAtMs: 1_000_000, at: 10 };
const r2 = { key: 'r2', startedAtMs: 2_000_000, at: 20 };
const list = (text: string): GtidList => GtidList.parse(text);

/** What the servers have said so far, and when they were asked. */
function saying(said: Readonly<Record<string, readonly [askedAt: number, position: string]>>): Witnesses {
  const since = (name: string, at: number): GtidList | undefined => {
    const [askedAt, position] = said[name] ?? [Number.NEGATIVE_INFINITY, ''];
    return askedAt >= at ? list(position) : undefined;
  };
  return { server: ({ key, at }) => since(key, at), primary: (at) => since('primary', at) };
}

describe('what a server must have', () => {
  const written: Floor = { ...noFloor, position: list('1-1-5') };
  const everything = { r1: [30, '1-1-7'], r2: [30, '1-1-8'], primary: [30, '1-1-9'] } as const;

  it.each([
    ['nothing was seen', noFloor, r1, {}, 'nothing'],
    ['an empty position', { ...noFloor, position: list('') }, r1, {}, 'nothing'],
    ['something was written', written, r1, {}, '1-1-5'],
    ['it was read itself', { ...noFloor, seen: [r1] }, r1, {}, 'nothing'],
    ['it was read itself, after a write', { ...written, seen: [r1] }, r1, {}, '1-1-5'],
    ['it was read in an earlier life', { ...noFloor, seen: [{ ...r1, startedAtMs: 0 }] }, r1, {}, 'unknown'],
    ['another one was read and has not said', { ...noFloor, seen: [r1] }, r2, {}, 'unknown'],
    ['another one said so before', { ...noFloor, seen: [r1] }, r2, { r1: [9, '1-1-7'] }, 'unknown'],
    ['another one said so since', { ...noFloor, seen: [r1] }, r2, everything, '1-1-7'],
    ['another one, after a write', { ...written, seen: [r1] }, r2, everything, '1-1-7'],
    ['both were read', { ...noFloor, seen: [r1, r2] }, r2, everything, '1-1-7'],
    ['the primary was read', { ...noFloor, primaryAt: 30 }, r1, everything, '1-1-9'],
    ['the primary was read since', { ...noFloor, primaryAt: 31 }, r1, everything, 'unknown'],
    ['the primary is asked, which was read', { ...noFloor, primaryAt: 31 }, 'primary', {}, 'nothing'],
    ['the primary is asked, after a replica', { ...noFloor, seen: [r1] }, 'primary', everything, '1-1-7'],
    ['a write without a position', { ...written, isUnknown: true }, r1, everything, 'unknown'],
    ['such a write, and the primary', { ...written, isUnknown: true }, 'primary', everything, '1-1-5'],
  ] as const)('when %s', (_, floor, reader, said, expected) => {
    expect(String(requiredPosition(floor, reader, saying(said)))).toBe(expected);
  });
});
