import type { ReplicaOptions } from '../config/call-options.ts';
import { afterPrimaryRead, type Floor, unionOfFloors } from '../consistency/floor.ts';
import { ConfigError } from '../errors/errors.ts';
import type { ReadNeed } from '../routing/read-need.ts';
import type { Services } from './services.ts';
import { needOf } from './session.ts';

type Scope = Pick<Services, 'sessions' | 'tokens' | 'least'>;

/** What a read must see by its options and the session around it; nothing for an eventual one. */
export function needFor(services: Scope, options: ReplicaOptions | undefined): ReadNeed | undefined {
  const { sessions, least } = services;
  const floor = floorFor(services, options);
  if (floor === undefined) return undefined;
  const need = sessions.current?.need(floor) ?? needOf(floor);
  return least === undefined ? need : least.told(need);
}

/** The same as a floor; `undefined` where nothing need be seen, and nobody need be told. */
export function floorFor(services: Scope, options: ReplicaOptions | undefined): Floor | undefined {
  const asked = floorAsked(services, options);
  const { least } = services;
  if (least === undefined) return asked;
  return asked === undefined ? least.floor : unionOfFloors(asked, least.floor);
}

function floorAsked(
  { sessions, tokens }: Pick<Scope, 'sessions' | 'tokens'>,
  options: ReplicaOptions | undefined,
): Floor | undefined {
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
  return consistency === 'strong' ? afterPrimaryRead(floor, performance.now()) : floor;
}

function contradiction(rule: string, received: string): ConfigError {
  return new ConfigError([{ path: 'consistency', rule, received }]);
}
