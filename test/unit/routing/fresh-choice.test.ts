import { describe, expect, it } from 'vitest';
import { type Floor, noFloor } from '../../../src/consistency/floor.ts';
import { GtidList } from '../../../src/consistency/gtid-list.ts';
import { fitnessOf } from '../../../src/routing/fresh-choice.ts';

const r1 = { key: 'r1', startedAtMs: 1_000, at: 5 };
const written: Floor = { ...noFloor, position: GtidList.parse('1-1-5') };
const readThere: Floor = { ...noFloor, seen: [r1] };
const unknown: Floor = { ...noFloor, isUnknown: true };

describe('a replica for a read that must see something', () => {
  it.each([
    ['anything will do', noFloor, r1, '', 'fit'],
    ['it has what was written', written, r1, '1-1-5', 'fit'],
    ['it has more', written, r1, '1-1-9', 'fit'],
    ['it may get to what was written', written, r1, '1-1-4', 'open 1-1-5'],
    ['nothing is known of it', written, r1, '', 'open 1-1-5'],
    ['it was read last', readThere, r1, '', 'fit'],
    [
      'another one was read, which has not said what it showed',
      readThere,
      { ...r1, key: 'r2' },
      '1-1-9',
      'unfit',
    ],
    ['a write has no position', unknown, r1, '1-1-9', 'unfit'],
    ['any server may answer there, and anything will do', noFloor, undefined, '', 'fit'],
    ['any server may answer there', written, undefined, '1-1-9', 'open 1-1-5'],
    ['any server may answer there, after a read elsewhere', readThere, undefined, '1-1-9', 'unfit'],
  ] as const)('when %s', (_, floor, life, has, expected) => {
    const holds = (position: GtidList): boolean => GtidList.parse(has).contains(position);
    const fitness = fitnessOf({ life, holds: (position) => holds(position as GtidList) }, floor, {
      server: () => undefined,
      primary: () => undefined,
    });
    expect([fitness.kind, 'required' in fitness ? fitness.required : ''].join(' ').trim()).toBe(expected);
  });
});
