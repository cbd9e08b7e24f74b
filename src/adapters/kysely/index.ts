export type { QueryOptions, QueryTarget } from '../query-options.ts';
export { type KyselyDialectOptions, VipsqlDialect } from './dialect.ts';
export { onPrimary, onReplica } from './on-target.ts';
