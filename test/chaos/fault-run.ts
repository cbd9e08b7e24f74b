import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterEvents } from '../../src/index.ts';
import { claimsEffect, type Verdict } from './check-history.ts';
import { nowMs } from './clock.ts';
import { Effects } from './effects.ts';
import type { Fault } from './fault.ts';
import { isTraceable } from './history.ts';
import { type AddedOutage, writesElsewhere } from './outages.ts';
import { Random } from './random.ts';
import { idleRates } from './rates.ts';
import { readRows } from './tables.ts';
import { Trial, type TrialOptions } from './trial.ts';

const longestOutageMs = 30_000;

/** One fault under load, judged. */
export interface FaultRun {
  readonly fault: string;
  /** The outage that the fault has made of the VIP, or the longest of them; undefined: it made none. */
  readonly outage: AddedOutage | undefined;
  readonly verdict: Verdict;
  /** Acknowledged writes that the surviving primary had not, before anything was healed. */
  readonly missingBeforeHeal: number;
  /** How long clients waited for acknowledged writes to appear on a primary that never got them. */
  readonly catchUpMs: readonly number[];
  /** Operations that took longer than 5 s or never ended. */
  readonly hung: number;
  /** Writes that were executed, after the VIP had moved, by the server that had lost it. */
  readonly writesOnOldPrimary: number;
}

const hungAfterMs = 5_000;
/** So that caches are warm, pools are full, and every kind of operation is under way. */
const warmUpMs = 1_000;

export interface FaultRunOptions extends TrialOptions {
  /** How long clients go on after the fault. */
  readonly aftermathMs: number;
  /** Nothing runs but one write, begun whenever the prober sees a writable server again; default false. */
  readonly idle?: boolean;
}

/** Lets one fault happen to clients at work, and then heals the lab. */
export async function runFault(fault: Fault, options: FaultRunOptions): Promise<FaultRun> {
  const { lab, seed, aftermathMs } = options;
  const trial = await Trial.start(options.idle === true ? { ...options, rates: idleRates } : options);
  await sleep(warmUpMs);
  const beganAt = nowMs();
  let isOver = false;
  const writing = options.idle === true ? writeWheneverBack(options, trial, () => isOver) : undefined;
  await fault.happen(new Random(seed));
  await sleep(aftermathMs);
  isOver = true;
  await writing;
  const history = await trial.stop();
  const endedAt = nowMs();
  const survivor = new Effects(await readRows(lab.owner(), lab.database));
  const { verdict, outages, primary } = await trial.judge(history);
  const own = outages.filter(({ from, to }) => to > beganAt && from < endedAt);
  const outage = own.findLast(({ moved }) => moved) ?? longest(own);
  return {
    fault: fault.name,
    outage,
    verdict,
    missingBeforeHeal: history.operations.filter(
      (operation) => isTraceable(operation) && claimsEffect(operation) && survivor.times(operation.id) === 0,
    ).length,
    catchUpMs: history.notices
      .filter(({ name }) => name === 'primary:behind')
      .map(({ detail }) => (JSON.parse(detail) as ClusterEvents['primary:behind']).waitedMs),
    hung: history.operations.filter(({ startedAt, endedAt: end }) => end - startedAt > hungAfterMs).length,
    writesOnOldPrimary: outage?.moved === true ? writesElsewhere(outage, history, primary) : 0,
  };
}

/** Has each client write one row whenever the prober sees a writable server again; once at least, if one comes. */
async function writeWheneverBack(
  { prober: { sightings } }: TrialOptions,
  trial: Trial,
  isOver: () => boolean,
): Promise<void> {
  let seen = sightings.length;
  let hasWritten = false;
  const end = nowMs() + longestOutageMs;
  while (!(isOver() && hasWritten) && nowMs() < end) {
    for (const { state } of sightings.slice(seen)) {
      seen += 1;
      if (state !== 'writable') continue;
      hasWritten = true;
      trial.writeEvents();
    }
    await sleep(2);
  }
}

function longest(outages: readonly AddedOutage[]): AddedOutage | undefined {
  return outages.toSorted((a, b) => b.to - b.from - (a.to - a.from))[0];
}
