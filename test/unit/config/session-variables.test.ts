import { describe, expect, it, test } from 'vitest';
import { variableName, variableProblem } from '../../../src/config/session-variables.ts';

describe('variableName', () => {
  it.each([
    'sql_mode',
    'SQL_MODE',
    '@@sql_mode',
    '@@session.sql_mode',
    'SESSION.sql_mode',
    '@@local.sql_mode',
  ])('reads %s as sql_mode', (key) => {
    expect(variableName(key)).toBe('sql_mode');
  });
});

describe('variableProblem', () => {
  test.each<readonly [string, unknown]>([
    ['wait_timeout', 600],
    ['sql_mode', 'STRICT_TRANS_TABLES,NO_ZERO_DATE'],
    ['sql_mode', ''],
    ['sql_mode', 'TRADITIONAL'],
    ['@@session.lock_wait_timeout', 5],
    ['foreign_key_checks', false],
    ['innodb_lock_wait_timeout', '5'],
    ['character_set_filesystem', null],
    ['myplugin.setting', 'x'],
  ])('accepts %s = %o', (name, value) => {
    expect(variableProblem(name, value)).toBeUndefined();
  });

  test.each<readonly [string, unknown, RegExp]>([
    ['a b', 1, /letters, digits/],
    ["x='", 1, /letters, digits/],
    ['', 1, /letters, digits/],
    ['@mine', 1, /system variable/],
    ['a.b.c', 1, /system variable/],
    ['global.max_connections', 1, /session variable/],
    ['@@GLOBAL.sql_mode', '', /session variable/],
    ['persist.sql_mode', '', /session variable/],
    ['wait_timeout', {}, /a text, a finite number/],
    ['wait_timeout', Number.NaN, /a text, a finite number/],
    ['wait_timeout', 5n, /a text, a finite number/],
    ['autocommit', 1, /vipsql opens and ends transactions/],
    ['@@session.AUTOCOMMIT', 1, /vipsql opens and ends transactions/],
    ['time_zone', '+01:00', /`timezone`/],
    ['names', 'latin1', /`charset`/],
    ['character_set_client', 'gbk', /`charset`/],
    ['transaction_read_only', 0, /connections of replicas/],
    ['completion_type', 1, /what COMMIT does/],
    ['sql_log_bin', 0, /would not reach/],
    ['sql_mode', 'NO_BACKSLASH_ESCAPES', /SQL injection/],
    ['sql_mode', 'STRICT_ALL_TABLES, no_backslash_escapes', /SQL injection/],
    ['SQL_MODE', 'ANSI', /ANSI_QUOTES/],
    ['sql_mode', 'ANSI_QUOTES', /ANSI_QUOTES/],
    ['sql_mode', 'ORACLE', /ANSI_QUOTES/],
    ['sql_mode', 'MSSQL', /ANSI_QUOTES/],
    ['sql_mode', 4, /names of modes/],
    ['sql_mode', '1048576', /names of modes/],
    ['sql_mode', null, /names of modes/],
  ])('refuses %s = %o', (name, value, rule) => {
    expect(variableProblem(name, value)).toMatch(rule);
  });
});
