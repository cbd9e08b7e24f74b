import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../src/testing/index.ts';
import type { Verdict } from './check-history.ts';
import { nowMs } from './clock.ts';
import { type Episode, Stage } from './episode.ts';
import type { AddedOutage } from './outages.ts';
import { Random } from './random.ts';
import { Trial, type TrialOptions } from './trial.ts';

export interface ChaosOptions<L extends Lab> extends TrialOptions<L> {
  /** How long faults go on. */
  readonly durationMs: number;
  readonly episodes: readonly Episode<L>[];
  readonly onEpisode?: (number: number, name: string) => void;
}

/** An episode that took place, and what it cost. */
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
export async function runChaos<L extends Lab>(options: ChaosOptions<L>): Promise<ChaosResult> {
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

async function breakThings<L extends Lab>(options: ChaosOptions<L>): Promise<Omit<Played, 'outages'>[]> {
  const { lab, episodes, seed, durationMs, onEpisode } = options;
  const random = new Random(seed);
  const end = nowMs() + durationMs;
  const played: Omit<Played, 'outages'>[] = [];
  while (nowMs() < end) {
    const { name, play } = random.pick(episodes);
    await sleep(random.between(500, 2_000));
    const from = nowMs();
    onEpisode?.(played.length + 1, name);
    await play(new Stage(lab, random));
    await sleep(random.between(500, 2_000));
    await lab.heal();
    played.push({ name, from, to: nowMs() });
  }
  return played;
}
