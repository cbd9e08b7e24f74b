import { describe, expect, it } from 'vitest';
import { decideFallback } from '../../../src/routing/fallback.ts';

const yes = true;
const no = false;

describe('decideFallback', () => {
  it.each([
    // fallback, serving, expecting, primary available, primary tried → decision
    ['primary', 0, no, yes, no, 'primary'],
    ['primary', 0, no, no, no, 'primary'],
    ['primary', 0, no, yes, yes, 'primary'],
    ['primary', 0, yes, yes, no, 'wait'],
    ['primary', 0, yes, no, no, 'wait'],
    ['primary', 1, no, yes, no, 'primary'],
    ['primary', 1, yes, yes, no, 'primary'],
    ['primary', 1, no, no, no, 'again'],
    ['primary', 1, no, yes, yes, 'again'],
    ['error', 0, no, yes, no, 'fail'],
    ['error', 0, yes, yes, no, 'wait'],
    ['error', 1, no, yes, no, 'again'],
    ['error', 2, yes, no, no, 'again'],
  ] as const)(
    'fallback %s, serving %i, expecting %s, primary available %s, primary tried %s: %s',
    (fallback, serving, expecting, primaryAvailable, primaryTried, decision) => {
      expect(decideFallback({ fallback, serving, expecting, primaryAvailable, primaryTried })).toBe(decision);
    },
  );
});
