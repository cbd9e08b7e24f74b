import type { AdminQuery } from './vendors/vendor.ts';

/** A server that may be asked as administrator. */
export interface Askable {
  /** Whether it can be asked anything. */
  readonly answers: boolean;
  readonly ask: AdminQuery;
  askAll(statements: readonly string[]): Promise<void>;
}
