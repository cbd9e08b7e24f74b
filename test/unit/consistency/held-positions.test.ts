import { describe, expect, test } from 'vitest';
import { missingIn, missingStatement } from '../../../src/consistency/held-positions.ts';
import { parsePosition } from '../../../src/consistency/parse-position.ts';
import { InvalidPositionError, type PositionVendor } from '../../../src/consistency/position.ts';

const a = 'aaaaaaaa-0000-1111-2222-333333333333';

describe('what a server lacks', () => {
  test.each<[string, string, { logged: string; applied: string }, string]>([
    ['all is logged', '0-1-7', { logged: '0-2-3,0-1-9', applied: '' }, ''],
    ['all was applied and not logged', '0-1-7', { logged: '', applied: '0-1-7' }, ''],
    ['the end is not there', '0-1-7', { logged: '0-1-6', applied: '0-1-6' }, '0-1-7'],
    [
      'another server of the domain is ahead',
      '0-1-7',
      { logged: '0-1-6,0-2-900', applied: '0-2-900' },
      '0-1-7',
    ],
    ['another domain is ahead', '0-1-7,1-2-3', { logged: '1-2-8', applied: '' }, '0-1-7'],
    ['nothing is known', '0-1-7', { logged: '', applied: '' }, '0-1-7'],
  ])('on MariaDB, where %s', (_, wanted, answer, missing) => {
    expect(missingIn(parsePosition('mariadb', wanted), answer).toString()).toBe(missing);
  });

  test('on MySQL is what the server says', () => {
    const wanted = parsePosition('mysql', `${a}:5-7`);
    expect(missingStatement(wanted)).toContain(`GTID_SUBTRACT('${a}:5-7', @@GLOBAL.gtid_executed)`);
    expect(missingIn(wanted, { missing: '' }).isEmpty).toBe(true);
    expect(missingIn(wanted, { missing: `${a}:6,\n${a}:7` }).toString()).toBe(`${a}:6-7`);
  });

  test.each<[PositionVendor, string, Record<string, unknown>]>([
    ['mysql', `${a}:5`, { missing: null }],
    ['mysql', `${a}:5`, {}],
    ['mariadb', '0-1-7', { logged: null, applied: '' }],
    ['mariadb', '0-1-7', {}],
  ])('on %s cannot be read from a senseless answer', (vendor, wanted, answer) => {
    expect(() => missingIn(parsePosition(vendor, wanted), answer)).toThrow(InvalidPositionError);
  });
});
