import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { idOfKey, newLedgerId } from '../../../src/consistency/ledger-id.ts';
import { LedgerStatements } from '../../../src/consistency/ledger-statements.ts';
import { ledgerDdl, shapeProblem, type TableShape } from '../../../src/consistency/ledger-table.ts';

const table = { schema: 'sh`op', name: 'vipsql_commit' };
const statements = new LedgerStatements(table);
const entry = { id: Buffer.from('0102', 'hex'), owner: Buffer.from('ff', 'hex') };

describe('ids', () => {
  it('are UUIDs of version 7, which ascend with time', () => {
    const id = newLedgerId(0x0198_0000_0000);
    expect(id).toHaveLength(16);
    expect(id.toString('hex')).toMatch(/^0198000000007[0-9a-f]{3}[89ab]/);
    expect(Buffer.compare(newLedgerId(1_000), newLedgerId(1_001))).toBe(-1);
    expect(newLedgerId(5).equals(newLedgerId(5))).toBe(false);
  });

  it('of keys are never those of vipsql, not even for the same bytes', () => {
    expect(idOfKey('order-1').toString()).toBe('key:order-1');
    expect(idOfKey('ü'.repeat(100))).toHaveLength(204);
    // Until then the first byte of a time is below that of "k".
    expect(newLedgerId(new Date('5600-01-01').getTime())[0]).toBeLessThan('k'.charCodeAt(0));
  });
});

describe('statements', () => {
  it('carry no value that a quote could end', () => {
    const evil = "'; DROP TABLE orders -- \\";
    for (const text of [
      statements.insert({ id: idOfKey(evil), owner: entry.owner }),
      statements.fence({ id: idOfKey(evil), owner: entry.owner }, evil),
      statements.keepResult(idOfKey(evil), evil),
      statements.confirm(idOfKey(evil), evil),
      statements.expired(1_000, { primary: evil, limit: 5 }),
    ]) {
      expect(text).not.toContain('DROP');
      expect(text).toContain('`sh``op`.`vipsql_commit`');
    }
  });

  it('keep rows that are in doubt on another server than the primary', () => {
    expect(statements.expired(90_500, { primary: 'a', limit: 500 })).toContain(
      "INTERVAL 91 SECOND AND (doubted_on IS NULL OR doubted_on = _utf8mb4 x'61') ORDER BY created_at LIMIT 500",
    );
  });

  it('never insert over a row that is there', () => {
    for (const text of [statements.insert(entry), statements.fence(entry, undefined)]) {
      expect(text).toMatch(/^INSERT INTO /);
      expect(text).not.toMatch(/IGNORE|REPLACE|DUPLICATE/);
    }
  });
});

describe('the table', () => {
  const good: TableShape = {
    engine: 'InnoDB',
    columns: new Map([
      ['id', 'varbinary(255)'],
      ['owner', 'binary(16)'],
      ['committed', 'tinyint(4)'],
      ['created_at', 'datetime(6)'],
      ['doubted_on', 'varchar(255)'],
      ['result', 'text'],
      ['note', 'varchar(20)'],
    ]),
    indexes: new Map([
      ['PRIMARY', ['id']],
      ['created_at', ['created_at']],
    ]),
  };
  const without = (name: string): ReadonlyMap<string, string> =>
    new Map([...good.columns].filter(([column]) => column !== name));

  test.each<readonly [string, Partial<TableShape>, RegExp | undefined]>([
    ['as created, with a column more', {}, undefined],
    ['on MySQL 8', { columns: new Map([...good.columns, ['committed', 'tinyint']]) }, undefined],
    ['in MyISAM', { engine: 'MyISAM' }, /engine is MyISAM/],
    ['without result', { columns: without('result') }, /column result is missing/],
    [
      'with a short id',
      { columns: new Map([...good.columns, ['id', 'varbinary(16)']]) },
      /id is a varbinary\(16\)/,
    ],
    ['with text as id', { columns: new Map([...good.columns, ['id', 'varchar(255)']]) }, /id is a varchar/],
    ['without primary key', { indexes: new Map([['created_at', ['created_at']]]) }, /primary key/],
    [
      'with a wider primary key',
      { indexes: new Map([...good.indexes, ['PRIMARY', ['id', 'owner']]]) },
      /primary key/,
    ],
    ['without the index on created_at', { indexes: new Map([['PRIMARY', ['id']]]) }, /created_at/],
  ])('%s: %s', (_, change, problem) => {
    const found = shapeProblem({ ...good, ...change });
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });

  it('is documented as it is created', () => {
    const documented = readFileSync(new URL('../../../docs/exactly-once.md', import.meta.url), 'utf8');
    expect(documented).toContain(ledgerDdl({ schema: 'shop', name: 'vipsql_commit' }));
  });
});
