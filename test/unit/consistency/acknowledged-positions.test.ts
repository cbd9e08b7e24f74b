import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AcknowledgedPositions } from '../../../src/consistency/acknowledged-positions.ts';
import { parsePosition } from '../../../src/consistency/parse-position.ts';
import type { PositionVendor } from '../../../src/consistency/position.ts';

const a = 'aaaaaaaa-0000-1111-2222-333333333333';
const b = 'bbbbbbbb-0000-1111-2222-333333333333';

function collected(vendor: PositionVendor, texts: readonly string[]): AcknowledgedPositions {
  const acknowledged = new AcknowledgedPositions();
  for (const text of texts) expect(acknowledged.add(vendor, text)).toBe(true);
  return acknowledged;
}

describe('acknowledged positions', () => {
  test.each<[PositionVendor, string[], string]>([
    ['mysql', [], ''],
    ['mysql', [`${a}:7`], `${a}:7`],
    ['mysql', [`${a}:7`, `${a}:9`, `${a}:8`], `${a}:7-9`],
    ['mysql', [`${a}:7`, `${a}:400`], `${a}:7-400`],
    ['mysql', [`${a}:7`, `${a}:3`], `${a}:3-7`],
    ['mysql', [`${a}:7`, `${b}:1`, `${a}:8`], `${a}:7-8,${b}:1`],
    ['mysql', [`${a}:5-7`, `${a}:9-11`], `${a}:5-11`],
    ['mysql', [`${a}:5`, `${a}:6,${b}:2`], `${a}:5-6,${b}:2`],
    ['mysql', [`${a}:5`, `${a}:tag:2`, `${a}:tag:3`, `${a}:6`], `${a}:5-6:tag:2-3`],
    ['mysql', [`${a}:9007199254740993`, `${a}:9007199254740995`], `${a}:9007199254740993-9007199254740995`],
    ['mariadb', ['0-1-7'], '0-1-7'],
    ['mariadb', ['0-1-7', '0-1-9', '0-1-8'], '0-1-9'],
    ['mariadb', ['0-1-7', '0-2-3', '1-1-9'], '0-1-7,0-2-3,1-1-9'],
    ['mariadb', ['0-1-18446744073709551614', '0-1-18446744073709551615'], '0-1-18446744073709551615'],
  ])('of %s after %j are %j', (vendor, texts, expected) => {
    expect(collected(vendor, texts).position(vendor).toString()).toBe(expected);
  });

  test.each<[PositionVendor, string]>([
    ['mysql', ''],
    ['mysql', 'nonsense'],
    ['mysql', '0-1-20'],
    ['mysql', `${a}:x`],
    ['mariadb', `${a}:1`],
    ['mariadb', "0-1-'"],
  ])('of %s do not take %j for one', (vendor, text) => {
    const acknowledged = collected(vendor, vendor === 'mysql' ? [`${a}:7`] : ['0-1-7']);
    const before = String(acknowledged.position(vendor));
    expect(acknowledged.add(vendor, text)).toBe(text === '');
    expect(String(acknowledged.position(vendor))).toBe(before);
  });

  test('contain every one that was added', () => {
    const gtids = fc.tuple(fc.constantFrom(a, b, `${a}:tag`), fc.integer({ min: 1, max: 1_000 }));
    fc.assert(
      fc.property(fc.array(gtids), (list) => {
        const texts = list.map(([source, sequence]) => `${source}:${sequence}`);
        const held = collected('mysql', texts).position('mysql');
        for (const text of texts) expect(held.contains(parsePosition('mysql', text))).toBe(true);
      }),
    );
  });

  test('begin anew with those of another vendor, which cannot be compared', () => {
    const acknowledged = collected('mysql', [`${a}:7`]);
    expect(acknowledged.position('mariadb').isEmpty).toBe(true);
    acknowledged.add('mariadb', '0-1-7');
    expect(acknowledged.position('mysql').isEmpty).toBe(true);
    expect(acknowledged.position('mariadb').toString()).toBe('0-1-7');
  });

  test('forget the sources of which some are lost, and no others', () => {
    const acknowledged = collected('mysql', [`${a}:5`, `${a}:9`, `${b}:2`, `${a}:tag:1`]);
    acknowledged.forget(parsePosition('mysql', `${a}:8-9`));
    expect(acknowledged.position('mysql').toString()).toBe(`${a}:tag:1,${b}:2`);
    acknowledged.add('mysql', `${a}:12`);
    expect(acknowledged.position('mysql').toString()).toBe(`${a}:12:tag:1,${b}:2`);
    acknowledged.forget(acknowledged.position('mysql'));
    expect(acknowledged.isEmpty).toBe(true);
  });
});
