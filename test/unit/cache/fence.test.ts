import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fenceOf,
  fenceOfCommit,
  longestFence,
  mergedFence,
  readFence,
  unionOfFences,
} from '../../../src/cache/fence.ts';
import { parsePosition } from '../../../src/consistency/parse-position.ts';
import type { PositionVendor } from '../../../src/consistency/position.ts';

const uuids = ['3e11fa47-71ca-11e1-9e33-c80aa9429562', '4e11fa47-71ca-11e1-9e33-c80aa9429563'] as const;

const commits: Record<PositionVendor, fc.Arbitrary<string>> = {
  mysql: fc
    .tuple(fc.constantFrom(...uuids), fc.constantFrom('', ':shop'), fc.integer({ min: 1, max: 50 }))
    .map(([uuid, tag, number]) => `${uuid}${tag}:${number}`),
  mariadb: fc
    .tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 }), fc.integer({ min: 1, max: 50 }))
    .map((parts) => parts.join('-')),
};

describe('a fence', () => {
  test.each(['mysql', 'mariadb'] as const)('of %s asks for every commit that was added to it', (vendor) => {
    fc.assert(
      fc.property(fc.array(commits[vendor], { minLength: 1, maxLength: 12 }), (list) => {
        const fence = list.reduce((all, text) => mergedFence(all, fenceOfCommit(vendor, text)), '');
        const position = readFence(fence);
        if (typeof position === 'string') throw new Error(`no position: ${fence}`);
        for (const text of list) expect(position.contains(parsePosition(vendor, text))).toBe(true);
        expect(fenceOf(position)).toBe(fence);
      }),
    );
  });

  test.each([
    ['', 'nothing'],
    ['?', 'unknown'],
    ['no position', 'unknown'],
    ['0-1-2,3e11fa47-71ca-11e1-9e33-c80aa9429562:1-2', 'unknown'],
  ])('%j reads as %s', (fence, read) => {
    expect(readFence(fence)).toBe(read);
  });

  test('of a commit without a position is unknown', () => {
    expect(fenceOfCommit('mysql', undefined)).toBe('?');
    expect(fenceOfCommit('mysql', '0-1-2')).toBe('?');
  });

  test('that would be too long is unknown', () => {
    const long = Array.from({ length: longestFence / 4 }, (_, server) => `0-${server}-1`).join(',');
    expect(fenceOf(parsePosition('mariadb', long))).toBe('?');
  });

  test('together with others asks for all of them', () => {
    expect(String(unionOfFences(['', '0-1-2', '1-1-3']))).toBe('0-1-2,1-1-3');
    expect(unionOfFences(['', ''])).toBe('nothing');
    expect(unionOfFences(['0-1-2', '?'])).toBe('unknown');
    expect(unionOfFences(['0-1-2', `${uuids[0]}:1-1`])).toBe('unknown');
  });
});
