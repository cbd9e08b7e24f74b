import { expect, test } from 'vitest';
import { applierProblem } from '../../../src/consistency/applier-mode.ts';

test.each<readonly [Readonly<Record<string, string>>, string | undefined]>([
  [{ replica_exec_mode: 'STRICT', slave_exec_mode: 'STRICT', replica_skip_errors: 'OFF' }, undefined],
  [{ slave_exec_mode: 'STRICT', slave_skip_errors: 'OFF' }, undefined],
  [{ slave_exec_mode: 'STRICT', slave_skip_errors: '' }, undefined],
  [{}, undefined],
  [{ replica_exec_mode: 'IDEMPOTENT', slave_exec_mode: 'IDEMPOTENT' }, 'idempotent-replication'],
  [{ slave_exec_mode: 'IDEMPOTENT' }, 'idempotent-replication'],
  [{ replica_exec_mode: 'STRICT', replica_skip_errors: '1062' }, 'skipped-errors'],
  [{ slave_exec_mode: 'STRICT', slave_skip_errors: 'all' }, 'skipped-errors'],
  // Which errors are left out does not matter: any of them may stand for a commit that is half there.
  [{ slave_skip_errors: '1032' }, 'skipped-errors'],
])('an applier with %o has the problem %s', (variables, problem) => {
  const found = applierProblem(new Map(Object.entries(variables)));
  expect(found?.problem).toBe(problem);
  if (found !== undefined) expect(found.remedy).toMatch(/^(Run SET GLOBAL|Take) /);
});
