import { serialize } from 'node:v8';
import type { Loaded } from '../cache/cached-value.ts';
import { fingerprint } from '../cache/names.ts';
import {
  type CachedCallOptions,
  type CachedHandleOptions,
  checkCachedCallOptions,
  checkCachedHandleOptions,
} from '../config/cached-options.ts';
import type { ReplicaOptions, SchemaOption } from '../config/call-options.ts';
import type { ResolvedConfig } from '../config/types.ts';
import { type Floor, isNoFloor, noFloor } from '../consistency/floor.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { BoundedCache } from '../sql/bounded-cache.ts';
import type { SqlFragment } from '../sql/fragment.ts';
import type { ReadSql } from '../sql/read-sql.ts';
import type { SqlParams } from '../sql/value.ts';
import { begin, mergeOptions } from './begin.ts';
import { cacheOf } from './cache-of.ts';
import { cachedRead, followed } from './cached-read.ts';
import { type Call, prepareCall, type Query } from './call.ts';
import { LoadWatch } from './load-watch.ts';
import { floorFor } from './need-for.ts';
import { checked, firstSet } from './row-reader.ts';
import { type DefaultRow, RowShapes } from './row-shapes.ts';
import { asRead, read, refuse, refuseHidden } from './run-on-replica.ts';
import type { Services } from './services.ts';
import { needOf } from './session.ts';

const name = 'db.replica().cached()';

/**
 * Reads on a replica whose answers are kept in the cache. An answer is never older than the last invalidation of its
 * key and tags that was completed before the read began, and inside `db.session` than what that has written and read.
 */
export class CachedHandle<Row extends object = DefaultRow> extends RowShapes<Row, 'read', CachedCallOptions> {
  readonly #services: Services;
  readonly #options: CachedHandleOptions;
  readonly #defaults: CachedCallOptions | undefined;

  /** @internal */
  constructor(services: Services, options: CachedHandleOptions, defaults: ReplicaOptions | undefined) {
    super();
    cacheOf(services);
    checkCachedHandleOptions(options);
    const callDefaults = defaults as CachedCallOptions | undefined;
    checkCachedCallOptions(callDefaults);
    this.#services = services;
    this.#options = options;
    this.#defaults = callDefaults;
  }

  /** Resolves to the rows. */
  query<T extends object, const S extends string = string>(
    query: ReadSql<S> | SqlFragment,
    params: SqlParams | undefined,
    options: CachedCallOptions & SchemaOption<T>,
  ): Promise<T[]>;
  query<const S extends string>(
    query: ReadSql<S> | SqlFragment,
    params?: SqlParams,
    options?: CachedCallOptions,
  ): Promise<Row[]>;
  override async query(query: Query, params?: SqlParams, options?: CachedCallOptions): Promise<Row[]> {
    const resolved = mergeOptions(this.#defaults, options, checkCachedCallOptions);
    const { timezone } = this.#services.config.session;
    const call = prepareCall({ query, params, options: resolved }, timezone);
    return checked((await this.#read(call, resolved)) as Row[], resolved);
  }

  #read(call: Call, options: CachedCallOptions | undefined): Promise<DefaultRow[]> {
    const services = this.#services;
    const { deadline } = begin(services, name, options);
    const isUnknown = refuse(services, call);
    const floor = floorFor(services, options) ?? noFloor;
    const what = identityOf(call, services.config);
    return cachedRead(services, this.#options, {
      key: this.#options.key ?? what,
      what,
      tables: this.#options.tables === true ? followed(services, call.statement.tables) : [],
      floor,
      deadline,
      check: isUnknown ? () => refuseHidden(services, call, deadline) : undefined,
      isNothing: (rows) => rows.length === 0,
      load: (least, limit) => load(services, call, least, limit),
    });
  }
}

async function load(
  services: Services,
  call: Call,
  floor: Floor,
  deadline: Deadline,
): Promise<Loaded<DefaultRow[]>> {
  const watch = new LoadWatch();
  const need = watch.told(services.sessions.current?.need(floor) ?? needOf(floor));
  const command = asRead(call);
  const { rows } = await read(services, deadline, (connection) => connection.run(command, deadline), {
    need: isNoFloor(floor) ? undefined : need,
  });
  return { value: firstSet(rows), isLost: watch.isLost, isProven: watch.isProven };
}

/** The same for the same rows, wherever they are asked for. */
function identityOf({ command }: Call, config: ResolvedConfig): string {
  const { text, values, json } = command;
  const { types, known } = identitiesOf(config);
  const isPlain = values === undefined && json === undefined && text.length <= longestKnown;
  const found = isPlain ? known.get(text) : undefined;
  if (found !== undefined) return found;
  const identity = fingerprint([
    types,
    JSON.stringify(json ?? []),
    text,
    values === undefined ? '' : serialize(values).toString('latin1'),
  ]);
  if (isPlain) known.set(text, identity);
  return identity;
}

/** What decides about the rows of one cluster besides the statement, and identities that were made lately. */
interface Identities {
  /** Who asks where, and as which types values come. */
  readonly types: string;
  readonly known: BoundedCache<string>;
}

const longestKnown = 2_000;
const maxKnown = 1_000;

const ofConfigs = new WeakMap<ResolvedConfig, Identities>();

function identitiesOf(config: ResolvedConfig): Identities {
  const found = ofConfigs.get(config);
  if (found !== undefined) return found;
  const { database = '', timezone, bigint, dates, charset, sessionVariables } = config.session;
  const { user } = config.primary.credentials;
  const types = JSON.stringify([user, database, timezone, bigint, dates, charset, sessionVariables]);
  const made: Identities = { types, known: new BoundedCache(maxKnown) };
  ofConfigs.set(config, made);
  return made;
}
