import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as errors from '../../../src/errors/errors.ts';
import { type Operation, repeatTable } from '../../../src/resilience/outcome.ts';

const doc = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');

/** The cells of the table under a heading, without its first two lines. */
function tableOf(heading: string): string[][] {
  const section = doc.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

type ErrorClass = new (message: never, facts: never) => errors.VipsqlError;

const classes = Object.values<unknown>(errors).filter(
  (value): value is ErrorClass => typeof value === 'function' && value !== errors.VipsqlError,
);

/** An instance is the only place where a class has its code. */
function codeOf(type: ErrorClass): string {
  const facts = {
    errno: 1,
    sqlState: 'HY000',
    table: 't',
    rowCount: 0,
    rowIndex: 0,
    path: 'p',
    phase: 'answer',
    timeoutMs: 1,
    problem: 'no-table',
  };
  const message = type === (errors.ConfigError as unknown) ? [] : 'message';
  return new type(message as never, facts as never).code;
}

const catalogue = tableOf('Catalogue');

describe('docs/errors.md', () => {
  it('lists every code once, in order, and no other', () => {
    expect(catalogue.map(([code]) => code)).toEqual(
      [...errors.errorCodes].sort().map((code) => `\`${code}\``),
    );
  });

  it('names the class of each code', () => {
    const expected = classes.map((type) => `\`${codeOf(type)}\` \`${type.name}\``);
    expect(catalogue.map(([code, name]) => `${code} ${name}`).sort()).toEqual(expected.sort());
  });

  it('says what happened, what vipsql did and what to do, of each code', () => {
    for (const row of catalogue)
      expect(row.map((cell) => cell.length > 0)).toEqual([true, true, true, true, true]);
  });

  it('lists every outcome', () => {
    expect(tableOf('Outcomes').map(([outcome]) => outcome)).toEqual([
      '`not-executed`',
      '`statement-rolled-back`',
      '`rolled-back`',
      '`unknown`',
    ]);
  });

  it('has the table that decides what is tried again', () => {
    const columns: readonly Operation[] = ['read', 'single-write', 'transaction', 'commit'];
    const documented = tableOf('What is tried again').map(([outcome = '', ...cells]) => [
      outcome.replaceAll('`', ''),
      cells.map((cell) =>
        cell.includes('idempotent') ? 'if-idempotent' : /again/.test(cell) ? 'yes' : 'no',
      ),
    ]);
    const decided = Object.entries(repeatTable).map(([outcome, row]) => [
      outcome,
      columns.map((column) => row[column]),
    ]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(decided));
  });
});

describe('errorCodes', () => {
  it('has the code of every class, and no other', () => {
    expect(classes.map(codeOf).sort()).toEqual([...errors.errorCodes].sort());
  });
});
