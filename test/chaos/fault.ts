import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab, MasterName, ServerName } from '../../src/testing/index.ts';
import { holdCommits } from './held-commits.ts';
import type { Random } from './random.ts';

/** Something that can go wrong in a lab. */
export interface Fault {
  readonly name: string;
  /** Whether the VIP moves to another server. */
  readonly movesVip: boolean;
  /** Makes it go wrong; afterwards the lab has to be healed. */
  happen(random: Random): Promise<void>;
}

/** A fault of labs of one kind. */
export interface Episode<L extends Lab = Lab> {
  readonly name: string;
  /** Whether the VIP moves to another server; default false. */
  readonly movesVip?: boolean;
  play(stage: Stage<L>): Promise<void>;
}

/** The episodes as faults of this lab. */
export function faultsOf<L extends Lab>(lab: L, episodes: readonly Episode<L>[]): Fault[] {
  return episodes.map(({ name, movesVip = false, play }) => ({
    name,
    movesVip,
    happen: (random) => play(new Stage(lab, random)),
  }));
}

/** A lab as an episode finds it, all well. */
export class Stage<L extends Lab = Lab> {
  readonly lab: L;
  readonly random: Random;
  readonly owner: MasterName;
  readonly standby: MasterName;
  readonly replica: ServerName;

  constructor(lab: L, random: Random) {
    this.lab = lab;
    this.random = random;
    this.owner = lab.owner().name === 'a' ? 'a' : 'b';
    this.standby = this.owner === 'a' ? 'b' : 'a';
    this.replica = random.pick(lab.replicas).name;
  }

  /** Waits for a random time. */
  async pause(minMs: number, maxMs: number): Promise<void> {
    await sleep(this.random.between(minMs, maxMs));
  }

  /** COMMITs on that master hang for so long, or until it dies. */
  holdCommits(name: MasterName, holdMs: number): Promise<void> {
    return holdCommits(this.lab, name, holdMs);
  }
}
