import type { Candidate, Chooser, Surroundings } from '../../../src/routing/candidate.ts';

export interface TestCandidate extends Candidate {
  readonly name: string;
  inFlight: number;
}

export function candidate(
  name: string,
  facts: { weight?: number; zone?: string; inFlight?: number; latencyMs?: number; upSince?: number } = {},
): TestCandidate {
  const { weight = 1, zone, inFlight = 0, latencyMs = 0, upSince = Number.NEGATIVE_INFINITY } = facts;
  return { name, weight, zone, inFlight, upSince, latencyMs: () => latencyMs };
}

/** Numbers in [0, 1), the same ones in each run (mulberry32). */
export function seededRandom(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function surroundings(given: Partial<Surroundings> = {}): Surroundings {
  return { now: () => 1_000_000, random: seededRandom(), rampUpMs: 10_000, ...given };
}

/** The share of the choices that each candidate got, by name. */
export function shares(choose: Chooser<TestCandidate>, choices = 20_000): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < choices; i += 1) {
    const { name } = choose();
    counts[name] = (counts[name] ?? 0) + 1 / choices;
  }
  return counts;
}

/** As {@link shares}, where each read stays in flight until `atOnce` later ones have been given out. */
export function sharesUnderLoad(
  choose: Chooser<TestCandidate>,
  atOnce: number,
  choices = 20_000,
): Record<string, number> {
  const running: TestCandidate[] = [];
  return shares(() => {
    if (running.length === atOnce) {
      const ended = running.shift();
      if (ended !== undefined) ended.inFlight -= 1;
    }
    const chosen = choose();
    chosen.inFlight += 1;
    running.push(chosen);
    return chosen;
  }, choices);
}
