export { classify } from './classify.ts';
export type { Classification } from './statement.ts';
export type { TableRef } from './tables.ts';
