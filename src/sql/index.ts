export { type Classification, classify } from './classify.ts';
export type { TableRef } from './tables.ts';
