import type { Services } from '../../handles/services.ts';
import type { MigrationWatch } from './migration-watch.ts';
import type { KnexTarget } from './options.ts';

/** What binds a client class of Knex's to a cluster. */
export interface KnexBinding {
  readonly services: Services;
  readonly target: KnexTarget;
  /** The limit of each statement, where the caller has set one. */
  readonly timeoutMs: number | undefined;
  readonly migrations: MigrationWatch;
  /** Of what Knex's `connection` says: what was looked at, and told. */
  readonly known: Set<string>;
}
