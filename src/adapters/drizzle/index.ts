export { drizzle, onPrimary, onReplica } from './drizzle.ts';
export type { DrizzleOptions, DrizzleTarget } from './options.ts';
