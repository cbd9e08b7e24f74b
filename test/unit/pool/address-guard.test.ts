import { describe, expect, test } from 'vitest';
import { AddressGuard } from '../../../src/pool/address-guard.ts';
import type { FailureKind } from '../../../src/resilience/failures.ts';

describe('the number of unfinished logins', () => {
  test('is at most 20 between two successes', () => {
    const guard = new AddressGuard();
    expect(Array.from({ length: 20 }, () => guard.enter(0))).toEqual(Array(20).fill(0));
    expect(guard.enter(0)).toBeUndefined();
    expect(guard.enter(3_600_000)).toBeUndefined();
  });

  test.each<[string, (guard: AddressGuard) => void]>([
    ['a success', (guard) => guard.succeeded()],
    ['a socket that was closed', (guard) => guard.failed('connect', 0)],
    ['an answer that no login follows', (guard) => guard.failed('tls', 0)],
  ])('goes down with %s', (_, end) => {
    const guard = new AddressGuard();
    for (let i = 0; i < 20; i += 1) guard.enter(0);
    end(guard);
    expect(guard.enter(0)).toBe(0);
    expect(guard.enter(0)).toBeUndefined();
  });

  test('counts logins on connections that were not asked for, and those never wait', () => {
    const guard = new AddressGuard();
    for (let i = 0; i < 19; i += 1) guard.enter(0);
    guard.enterUnasked();
    guard.enterUnasked();
    expect(guard.enter(0)).toBeUndefined();
    guard.succeeded();
    expect(guard.enter(0)).toBeUndefined();
    guard.succeeded();
    expect(guard.enter(0)).toBe(0);
  });
});

describe('back-off', () => {
  test.each<[FailureKind, number]>([
    ['overloaded', 250],
    ['host-blocked', 250],
    ['access', 250],
    ['connect', 0],
    ['tls', 0],
    ['offline', 0],
    ['lost', 0],
  ])('after %s the next login waits %i ms', (kind, waitMs) => {
    const guard = new AddressGuard();
    guard.enter(1_000);
    guard.failed(kind, 1_010);
    expect(guard.enter(1_010)).toBe(waitMs);
  });

  test('doubles from 250 ms to 5 s while the address says the same', () => {
    const guard = new AddressGuard();
    const waits: number[] = [];
    let now = 0;
    for (let i = 0; i < 8; i += 1) {
      expect(guard.enter(now)).toBe(0);
      guard.failed('overloaded', now);
      const waitMs = guard.enter(now) ?? Number.NaN;
      waits.push(waitMs);
      now += waitMs;
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000]);
  });

  test('lets one login try for all, and the others wait for what becomes of it', () => {
    const guard = new AddressGuard();
    guard.enter(0);
    guard.failed('overloaded', 0);
    expect(guard.enter(100)).toBe(150);
    expect(guard.enter(250)).toBe(0);
    expect(guard.enter(250)).toBe(250);
    expect(guard.enter(400)).toBe(100);
    guard.failed('overloaded', 410);
    expect(guard.enter(410)).toBe(500);
  });

  test('lets another one try when the first hangs', () => {
    const guard = new AddressGuard();
    guard.enter(0);
    guard.failed('overloaded', 0);
    expect(guard.enter(250)).toBe(0);
    expect(guard.enter(500)).toBe(0);
  });

  test.each<[string, (guard: AddressGuard) => void]>([
    ['a success', (guard) => guard.succeeded()],
    [
      'the news that somebody else may answer',
      (guard) => {
        guard.failed('connect', 250);
        guard.forget();
      },
    ],
  ])('ends with %s, and begins from 250 ms again', (_, end) => {
    const guard = new AddressGuard();
    guard.enter(0);
    guard.failed('overloaded', 0);
    guard.enter(250);
    end(guard);
    expect([guard.enter(260), guard.enter(260)]).toEqual([0, 0]);
    guard.failed('host-blocked', 270);
    expect(guard.enter(270)).toBe(250);
  });
});
