export type { QueryOptions, QueryTarget } from '../query-options.ts';
export { drizzle, onPrimary, onReplica } from './drizzle.ts';
export type { DrizzleOptions } from './options.ts';
