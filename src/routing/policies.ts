import type { ResolvedConfig } from '../config/types.ts';
import type { Policy } from './candidate.ts';
import { leastConnections } from './least-connections.ts';
import { p2c } from './p2c.ts';
import { randomChoice } from './random.ts';
import { roundRobin } from './round-robin.ts';

/** The policies by the name they have in `balance.policy`. To add one, add it here and to the config's type. */
export const policies: Readonly<Record<ResolvedConfig['balance']['policy'], Policy>> = Object.freeze({
  p2c,
  'round-robin': roundRobin,
  'least-connections': leastConnections,
  random: randomChoice,
});
