import type { ReplicaOptions } from '../config/call-options.ts';
import { afterPrimaryRead, unionOfFloors } from '../consistency/floor.ts';
import { ConfigError } from '../errors/errors.ts';
import type { ReadNeed } from '../routing/read-need.ts';
import type { Services } from './services.ts';
import { needOf } from './session.ts';

/** What a read must see by its options and the session around it; nothing for an eventual one. */
export function needFor(
  { sessions, tokens }: Pick<Services, 'sessions' | 'tokens'>,
  options: ReplicaOptions | undefined,
): ReadNeed | undefined {
  const session = sessions.current;
  const { consistency, after } = options ?? {};
  if (session === undefined && after === undefined && consistency === undefined) return undefined;
  if (consistency === 'eventual') {
    if (after !== undefined) throw contradiction("must not be 'eventual' with `after`", "'eventual'");
    return undefined;
  }
  if (consistency === 'session' && session === undefined && after === undefined) {
    throw contradiction("must not be 'session' outside of db.session(…), or needs `after`", "'session'");
  }
  const given = tokens.read(after);
  const floor = session === undefined ? given : unionOfFloors(session.floor, given);
  // As if this call had read on the primary before.
  const needed = consistency === 'strong' ? afterPrimaryRead(floor, performance.now()) : floor;
  return session === undefined ? needOf(needed) : session.need(needed);
}

function contradiction(rule: string, received: string): ConfigError {
  return new ConfigError([{ path: 'consistency', rule, received }]);
}
