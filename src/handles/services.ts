import type { Cache } from '../cache/cache.ts';
import { describeValue } from '../config/redact.ts';
import type { ResolvedConfig } from '../config/types.ts';
import type { Floor } from '../consistency/floor.ts';
import { ConfigError } from '../errors/errors.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import type { Retries } from '../resilience/retries.ts';
import type { ReadNeed } from '../routing/read-need.ts';
import type { ReadRouter } from '../routing/read-router.ts';
import type { Primary } from '../topology/primary.ts';
import type { CommitLedger } from './commit-ledger.ts';
import type { PrimaryOnly } from './primary-only.ts';
import type { RunningOperations } from './running-operations.ts';
import type { SessionScope } from './session-scope.ts';
import type { Tokens } from './tokens.ts';
import type { TransactionScope } from './transaction-scope.ts';

/** What the handles and adapters of one cluster share. */
export interface Services {
  readonly config: ResolvedConfig;
  readonly primary: Primary;
  readonly reads: ReadRouter;
  readonly events: ClusterEmitter;
  readonly retries: Retries;
  readonly ledger: CommitLedger;
  readonly running: RunningOperations;
  readonly scope: TransactionScope;
  readonly sessions: SessionScope;
  readonly tokens: Tokens;
  readonly primaryOnly: PrimaryOnly;
  /** `undefined` where none is configured. */
  readonly cache: Cache | undefined;
  /** What every read on a replica must see, besides its own options: inside a load for the cache. */
  readonly least?: Least;
}

/** The least that reads must see. */
export interface Least {
  readonly floor: Floor;
  /** The need of one read, of which the load learns what it has seen. */
  told(need: ReadNeed): ReadNeed;
}

const ofClusters = new WeakMap<object, Services>();

/** Lets adapters find what a cluster consists of. */
export function shareServices(cluster: object, services: Services): void {
  ofClusters.set(cluster, services);
}

/** What a cluster consists of. @throws {@link ConfigError} for anything that `createCluster` has not made. */
export function servicesOf(cluster: object): Services {
  const services = ofClusters.get(cluster);
  if (services !== undefined) return services;
  const rule = 'must be what createCluster of this copy of vipsql has returned';
  throw new ConfigError([{ path: 'db', rule, received: describeValue(cluster) }]);
}
