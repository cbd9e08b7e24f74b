import { beforeEach, describe, expect, it } from 'vitest';
import { HeartbeatClock } from '../../../src/topology/heartbeat-clock.ts';

describe('the clock of heartbeats', () => {
  let clock: HeartbeatClock;

  beforeEach(() => {
    clock = new HeartbeatClock();
  });

  it('does not know how old the first heartbeat is that it sees', () => {
    expect(clock.saw('t1', 100, undefined)).toBe(true);
    expect(clock.hasAllBefore('t1')).toBeUndefined();
    expect([clock.newest, clock.seenAt]).toEqual(['t1', 100]);
  });

  it('counts from the last time at which the primary was without it', () => {
    clock.saw('t1', 100, undefined);
    expect(clock.saw('t1', 200, 100)).toBe(false);
    expect(clock.saw('t2', 300, 200)).toBe(true);
    expect(clock.hasAllBefore('t2')).toBe(200);
    expect(clock.seenAt).toBe(300);
  });

  it('takes one that it has not seen for the one before it', () => {
    clock.saw('t2', 100, 50);
    clock.saw('t5', 200, 150);
    expect(clock.hasAllBefore('t3')).toBe(50);
    expect(clock.hasAllBefore('t9')).toBe(150);
    expect(clock.hasAllBefore('t1')).toBeUndefined();
  });

  it('trusts only what it has seen itself where the clock of the writer went back', () => {
    clock.saw('t5', 100, 50);
    clock.saw('t8', 200, 150);
    clock.saw('t6', 300, 250);
    expect(clock.hasAllBefore('t8')).toBe(150);
    expect(clock.hasAllBefore('t6')).toBe(250);
    expect(clock.hasAllBefore('t7')).toBeUndefined();
    // Written before the clock was set back, and not seen by then.
    expect(clock.hasAllBefore('t88')).toBeUndefined();
    clock.saw('t9', 400, 350);
    expect(clock.hasAllBefore('t9')).toBe(350);
    expect(clock.hasAllBefore('t99')).toBe(350);
  });

  it('forgets what is older than half an hour of seconds', () => {
    for (let second = 0; second < 3_000; second += 1) clock.saw(String(10_000 + second), second, second);
    expect(clock.hasAllBefore('10100')).toBeUndefined();
    expect(clock.hasAllBefore('12000')).toBe(2_000);
  });
});
