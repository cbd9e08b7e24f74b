import { describe, expect, it } from 'vitest';
import { ClusterEmitter } from '../../../src/observe/emitter.ts';
import { FallbackPeriod } from '../../../src/routing/fallback-period.ts';

function recorded(): { period: FallbackPeriod; told: string[] } {
  const events = new ClusterEmitter();
  const told: string[] = [];
  events.on('fallback:started', ({ reason }) => told.push(`started: ${reason}`));
  events.on('fallback:ended', ({ lastedMs }) => told.push(`ended after ${lastedMs >= 0}`));
  return { period: new FallbackPeriod(events), told };
}

describe('fallback period', () => {
  it('tells its beginning and its end once each', () => {
    const { period, told } = recorded();
    period.begin('all down');
    period.begin('still down');
    period.end();
    period.end();
    expect(told).toEqual(['started: all down', 'ended after true']);
  });

  it('tells no end without a beginning', () => {
    const { period, told } = recorded();
    period.end();
    expect(told).toEqual([]);
  });

  it('can begin again', () => {
    const { period, told } = recorded();
    period.begin('first');
    period.end();
    period.begin('second');
    expect(told).toEqual(['started: first', 'ended after true', 'started: second']);
  });
});
