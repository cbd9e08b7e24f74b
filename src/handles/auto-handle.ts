import { checkReplicaOptions, type ReplicaOptions } from '../config/call-options.ts';
import type { Answer } from '../pool/command.ts';
import type { SqlParams } from '../sql/value.ts';
import { type Begun, begin } from './begin.ts';
import { type Call, prepareCall, type Query, routeOf } from './call.ts';
import { needFor } from './need-for.ts';
import type { DefaultRow } from './row-shapes.ts';
import { createRowStream, type Pump, type RowStream } from './row-stream.ts';
import { RowWriter } from './row-writer.ts';
import { pumpOnPrimary } from './run-on-primary.ts';
import { pumpOnReplica, runOnReplica } from './run-on-replica.ts';
import { runWrite } from './run-write.ts';
import type { Services } from './services.ts';

const name = 'db.auto()';

/**
 * Runs what is proved to be a pure read of no `primaryOnly` table, nor a view over one, as `db.replica()` does, and
 * everything else as `db.primary()` does. `queryWithInfo` tells where a statement went.
 */
export class AutoHandle<Row extends object = DefaultRow> extends RowWriter<Row, ReplicaOptions> {
  readonly #services: Services;

  /** @internal */
  constructor(services: Services, defaults: ReplicaOptions | undefined) {
    super((call, options) => run(services, call, options), {
      timezone: services.config.session.timezone,
      defaults,
      check: checkReplicaOptions,
      tokens: services.tokens,
    });
    this.#services = services;
  }

  /**
   * Reads rows one by one, with back-pressure down to the server's socket. `timeoutMs` limits the wait for the first
   * row and each pause after it. A lost connection is made good only before the first row.
   */
  stream(query: Query, params?: SqlParams, options?: ReplicaOptions): RowStream<Row> {
    const services = this.#services;
    const resolved = this.resolve(options);
    const call = prepareCall({ query, params, options: resolved }, services.config.session.timezone);
    const begun = begin(services, name, resolved);
    return createRowStream<Row>({
      call,
      timeoutMs: begun.timeoutMs,
      signal: resolved?.signal,
      run: pumpFor(services, begun, call, resolved),
    });
  }
}

function run(services: Services, call: Call, options: ReplicaOptions | undefined): Promise<Answer> {
  const begun = begin(services, name, options);
  const on = (route: Route): Promise<Answer> =>
    (route === 'replica' ? runOnReplica : runWrite)(services, begun, call, options);
  const route = knownRoute(services, call, options);
  return route === 'unknown' ? lookedUpRoute(services, call, begun).then(on) : on(route);
}

function pumpFor(services: Services, begun: Begun, call: Call, options: ReplicaOptions | undefined): Pump {
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
