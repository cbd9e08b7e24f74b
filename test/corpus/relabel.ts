// node --import tsx test/corpus/relabel.ts: asks real servers of both vendors anew, and writes labelled.jsonl.
import { writeFileSync } from 'node:fs';
import '../support/lab-vendors.ts';
import { labelledFile, withValues } from './corpus.ts';
import { statements } from './generate.ts';
import type { Label } from './label.ts';
import { openCorpus } from './open-corpus.ts';

const all = statements();
const labels: Label[][] = all.map(() => []);
for (const [column, vendor] of (['mysql', 'mariadb'] as const).entries()) {
  await using corpus = await openCorpus(vendor);
  for (const [i, sql] of all.entries()) {
    const row = labels[i] ?? [];
    row[column] = await corpus.labeller.label(withValues(sql));
  }
}
writeFileSync(
  labelledFile,
  `${all.map((sql, i) => JSON.stringify([sql, ...(labels[i] ?? [])])).join('\n')}\n`,
);
