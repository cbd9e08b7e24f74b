export { knexClient } from './knex-client.ts';
export type { KnexClientOptions, KnexTarget } from './options.ts';
export type { TargetedQuery } from './targeted-query.ts';
