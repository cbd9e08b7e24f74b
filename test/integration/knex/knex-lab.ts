import knexModule, { type Knex } from 'knex';
import { afterEach } from 'vitest';
import { type KnexClientOptions, knexClient } from '../../../src/adapters/knex/index.ts';
import type { Cluster } from '../../../src/index.ts';
import type { Lab } from '../../../src/testing/index.ts';

const opened: Knex[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((knex) => knex.destroy()));
});

/** Knex on a cluster, destroyed after the test. */
export function openKnex(
  db: Cluster,
  config: Omit<Knex.Config, 'client'> = {},
  options?: KnexClientOptions,
): Knex {
  return opening({ ...config, client: knexClient(db, options) });
}

/** Knex with its own client for mysql2 on the VIP of a lab, destroyed after the test. */
export function openStock(lab: Lab, connection: object = {}): Knex {
  const { vip, user, password, database } = lab;
  const address = { host: vip.host, port: vip.port, user, password, database, timezone: 'Z' };
  return opening({ client: 'mysql2', connection: { ...address, ...connection } });
}

function opening(config: Knex.Config): Knex {
  const knex = knexModule(config);
  opened.push(knex);
  return knex;
}

/** What Knex's errors carry, and vipsql's in their cause. */
export interface KnexFailure extends Error {
  readonly code: string;
  readonly errno?: number;
  readonly sqlState?: string;
  readonly sql?: string;
  readonly cause: { readonly code: string; readonly outcome: string };
}
