import { setTimeout as sleep } from 'node:timers/promises';
import type { Verdict } from './check-history.ts';
import { nowMs } from './clock.ts';
import type { Fault } from './fault.ts';
import type { AddedOutage } from './outages.ts';
import { Random } from './random.ts';
import { Trial, type TrialOptions } from './trial.ts';

export interface ChaosOptions extends TrialOptions {
  /** How long faults go on. */
  readonly durationMs: number;
  readonly faults: readonly Fault[];
  readonly onFault?: (number: number, name: string) => void;
}

/** A fault that took place, and what it cost. */
export interface Played {
  readonly name: string;
  readonly from: number;
  /** When the lab had been healed from it. */
  readonly to: number;
  readonly outages: readonly AddedOutage[];
}

/** What a run of faults gave. */
export interface ChaosResult {
  readonly verdict: Verdict;
  readonly played: readonly Played[];
  readonly operations: number;
}

/** Runs clients against a lab that breaks again and again, heals it, and compares what clients were told with its rows. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const trial = await Trial.start(options);
  const played = await breakThings(options);
  const { verdict, outages, history } = await trial.judge(await trial.stop());
  return {
    verdict,
    played: played.map((window) => ({
      ...window,
      outages: outages.filter(({ to }) => to > window.from && to <= window.to),
    })),
    operations: history.operations.length,
  };
}

async function breakThings(options: ChaosOptions): Promise<Omit<Played, 'outages'>[]> {
  const { lab, faults, seed, durationMs, onFault } = options;
  const random = new Random(seed);
  const end = nowMs() + durationMs;
  const played: Omit<Played, 'outages'>[] = [];
  while (nowMs() < end) {
    const { name, happen } = random.pick(faults);
    await sleep(random.between(500, 2_000));
    const from = nowMs();
    onFault?.(played.length + 1, name);
    await happen(random);
    await sleep(random.between(500, 2_000));
    await lab.heal();
    played.push({ name, from, to: nowMs() });
  }
  return played;
}
