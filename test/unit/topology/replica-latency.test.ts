import { describe, expect, it } from 'vitest';
import { LatencyAverage } from '../../../src/topology/replica-latency.ts';

function measured(measurements: readonly (readonly [atMs: number, latencyMs: number])[]): LatencyAverage {
  const average = new LatencyAverage();
  for (const [atMs, latencyMs] of measurements) average.record(latencyMs, atMs);
  return average;
}

describe('latency average', () => {
  it('is 0 while nothing was measured', () => {
    expect(new LatencyAverage().valueMs(5_000)).toBe(0);
  });

  it('is the first measurement', () => {
    expect(measured([[1_000, 40]]).valueMs(1_000)).toBe(40);
  });

  it.each([
    ['hardly changes by one outlier among many', 1, 45, 65],
    ['follows measurements of the last seconds', 4_000, 900, 1_000],
  ])('%s', (_, outliers, least, most) => {
    const average = new LatencyAverage();
    for (let at = 0; at < 4_000; at += 1) average.record(50, at);
    for (let at = 0; at < outliers; at += 1) average.record(1_000, 4_000 + 2 * at);
    const value = average.valueMs(4_000 + 2 * outliers - 2);
    expect(value).toBeGreaterThan(least);
    expect(value).toBeLessThan(most);
  });

  it('does not depend on how often is measured', () => {
    const often = new LatencyAverage();
    for (let at = 0; at <= 2_000; at += 1) often.record(at < 1_000 ? 10 : 30, at);
    const seldom = new LatencyAverage();
    for (let at = 0; at <= 2_000; at += 100) seldom.record(at < 1_000 ? 10 : 30, at);
    expect(often.valueMs(2_000)).toBeCloseTo(seldom.valueMs(2_000), -0.5);
  });

  it('fades while nothing is measured, so that a slow server is tried again', () => {
    const average = measured([[0, 100]]);
    expect(average.valueMs(2_000)).toBeCloseTo(36.8, 1);
    expect(average.valueMs(20_000)).toBeLessThan(0.01);
  });
});
