import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { classify } from '../../../src/sql/index.ts';
import { isDangerous, type Labelled, readLabelled, withValues } from '../../corpus/corpus.ts';
import { dangerous } from '../../corpus/label.ts';
import { type OpenCorpus, openCorpus } from '../../corpus/open-corpus.ts';
import { labVendors } from '../../support/lab-vendors.ts';

/** Statements asked again per run, from all parts of the corpus. */
const sampleSize = 400;

/** Time in which they are asked: a busy machine asks fewer. */
const budgetMs = 45_000;

function sample(all: readonly Labelled[]): readonly Labelled[] {
  const step = Math.floor(all.length / sampleSize);
  return all.filter((_, i) => i % step === 0);
}

describe.each(labVendors)('the corpus on a read-only %s', (vendor) => {
  let corpus: OpenCorpus;

  beforeAll(async () => {
    corpus = await openCorpus(vendor);
  });

  afterAll(() => corpus?.[Symbol.asyncDispose]());

  test('has the labels that the server gives, and nothing it refuses, locks or keeps is called a read', async () => {
    const end = performance.now() + budgetMs;
    const wrong: unknown[] = [];
    let asked = 0;
    for (const entry of sample(readLabelled())) {
      if (performance.now() > end) break;
      const label = await corpus.labeller.label(withValues(entry.sql));
      asked += 1;
      const isWrong = dangerous.has(label) && classify(entry.sql).target === 'replica';
      const stored = entry[vendor];
      // Seen with CALL on MariaDB, not explained: stored as an error, refused when asked again.
      const isSettled = stored !== 'error' || label === 'read';
      const isNews = label !== stored && isSettled;
      if (isNews || isWrong) wrong.push({ ...entry, label, isDangerous: isDangerous(entry) });
    }
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(50);
  });
});
