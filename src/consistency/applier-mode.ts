import type { ExactlyOnceProblem } from '../errors/errors.ts';
import type { ServerValues } from './semi-sync.ts';

/** Why a server would apply a late commit beside its repetition, and what to run there. */
export interface ApplierProblem {
  readonly problem: ExactlyOnceProblem;
  readonly setting: string;
  readonly remedy: string;
}

/**
 * Says whether a server's applier stops at a row that is there already: what the ledger relies on when a commit that
 * was given up arrives after all. In IDEMPOTENT mode, or with skipped errors, it would go on and apply the rest.
 */
export function applierProblem(variables: ServerValues): ApplierProblem | undefined {
  for (const word of ['replica', 'slave']) {
    const mode = variables.get(`${word}_exec_mode`);
    if (mode !== undefined && mode !== 'STRICT') {
      return {
        problem: 'idempotent-replication',
        setting: `${word}_exec_mode is ${mode}`,
        remedy: `Run SET GLOBAL ${word}_exec_mode = 'STRICT' there, and set it in my.cnf`,
      };
    }
    const skipped = variables.get(`${word}_skip_errors`);
    if (skipped !== undefined && skipped !== 'OFF' && skipped !== '') {
      return {
        problem: 'skipped-errors',
        setting: `${word}_skip_errors is ${skipped}`,
        remedy: `Take ${word}_skip_errors out of my.cnf and restart the server`,
      };
    }
  }
  return undefined;
}
