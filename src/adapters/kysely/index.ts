export { type KyselyDialectOptions, VipsqlDialect } from './dialect.ts';
export { onPrimary, onReplica } from './on-target.ts';
export type { KyselyTarget } from './options.ts';
