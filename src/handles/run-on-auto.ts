import type { ReplicaOptions } from '../config/call-options.ts';
import type { Answer } from '../pool/command.ts';
import type { Begun } from './begin.ts';
import { type Call, routeOf } from './call.ts';
import { needFor } from './need-for.ts';
import type { Pump } from './row-stream.ts';
import { pumpOnPrimary } from './run-on-primary.ts';
import { pumpOnReplica, runOnReplica } from './run-on-replica.ts';
import { runWrite } from './run-write.ts';
import type { Services } from './services.ts';

/** Runs one statement on a replica if it is proved that it may, and else on the primary. */
export function runOnAuto(
  services: Services,
  begun: Begun,
  call: Call,
  options: ReplicaOptions | undefined,
): Promise<Answer> {
  const on = (route: Route): Promise<Answer> =>
    (route === 'replica' ? runOnReplica : runWrite)(services, begun, call, options);
  const route = knownRoute(services, call, options);
  return route === 'unknown' ? lookedUpRoute(services, call, begun).then(on) : on(route);
}

/** Runs the statement of a stream likewise. */
export function pumpOnAuto(
  services: Services,
  begun: Begun,
  call: Call,
  options: ReplicaOptions | undefined,
): Pump {
  const pumpOn = { primary: pumpOnPrimary, replica: pumpOnReplica } as const;
  const route = knownRoute(services, call, options);
  if (route !== 'unknown') return pumpOn[route](services, begun, call, options);
  // Made now, while the session of the caller is the current one: a stream may be read elsewhere.
  const primary = pumpOn.primary(services, begun, call, options);
  const replica = pumpOn.replica(services, begun, call, options);
  return async (pump) => {
    const found = await lookedUpRoute(services, call, begun);
    await (found === 'replica' ? replica : primary)(pump);
  };
}

type Route = 'primary' | 'replica';

function knownRoute(
  services: Services,
  { statement }: Call,
  options: ReplicaOptions | undefined,
): Route | 'unknown' {
  const route = routeOf(statement, services.primaryOnly);
  // Options that contradict each other, and broken tokens, are refused wherever the statement goes.
  if (route === 'primary') needFor(services, options);
  return route;
}

/** Where names could not be looked up, the primary is right; and tells what is wrong with it. */
async function lookedUpRoute(
  { primaryOnly }: Services,
  { statement }: Call,
  { deadline }: Begun,
): Promise<Route> {
  try {
    return (await primaryOnly.lookUp(statement.tables, deadline)) === undefined ? 'replica' : 'primary';
  } catch {
    return 'primary';
  }
}
