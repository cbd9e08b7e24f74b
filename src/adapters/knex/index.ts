export type { TargetedQuery } from './builders.ts';
export { knexClient } from './knex-client.ts';
export type { KnexClientOptions, KnexTarget } from './options.ts';
