import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/index.ts';
import { createCluster, RowSchemaError } from '../../../src/index.ts';
import { type Lab, type LabVendor, startLab } from '../../../src/testing/index.ts';
import { rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';

interface Case {
  /** The column's type. */
  readonly type: string;
  /** What is stored, as SQL. */
  readonly stored: string;
  readonly expected: unknown;
  readonly only?: LabVendor;
}

const column = (type: string, ...values: readonly (readonly [string, unknown])[]): Case[] =>
  values.map(([stored, expected]) => ({ type, stored, expected }));

const bytes = (...values: number[]): Buffer => Buffer.from(values);
const utc = (text: string): Date => new Date(`${text}Z`);
const noDate = new Date(Number.NaN);

const cases: readonly Case[] = [
  ...column('TINYINT', ['-128', -128], ['127', 127], ['NULL', null]),
  ...column('TINYINT UNSIGNED', ['255', 255]),
  ...column('TINYINT(1)', ['1', 1], ['0', 0]),
  ...column('SMALLINT', ['-32768', -32768]),
  ...column('SMALLINT UNSIGNED', ['65535', 65535]),
  ...column('MEDIUMINT', ['-8388608', -8388608]),
  ...column('MEDIUMINT UNSIGNED', ['16777215', 16777215]),
  ...column('INT', ['-2147483648', -2147483648]),
  ...column('INT UNSIGNED', ['4294967295', 4294967295]),
  ...column('INT(8) ZEROFILL', ['42', 42]),
  ...column(
    'BIGINT',
    ['0', 0],
    ['-1', -1],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9007199254740991', -9007199254740991],
    ['-9007199254740993', -9007199254740993n],
    ['-9223372036854775808', -9223372036854775808n],
    ['NULL', null],
  ),
  ...column('BIGINT UNSIGNED', ['18446744073709551615', 18446744073709551615n], ['7', 7]),
  ...column('BIGINT(20) ZEROFILL', ['42', 42], ['9223372036854775807', 9223372036854775807n]),
  ...column(
    'DECIMAL(30,10)',
    ['0', '0.0000000000'],
    ['12345678901234567890.0123456789', '12345678901234567890.0123456789'],
    ['-0.5', '-0.5000000000'],
  ),
  ...column('DECIMAL(5,0)', ['99999', '99999']),
  ...column('DECIMAL(8,2) ZEROFILL', ['1.5', '000001.50']),
  // six digits, as the text protocol writes a FLOAT; ties go to the even digit
  ...column(
    'FLOAT',
    ['0', 0],
    ['0.1', 0.1],
    ['-1.5', -1.5],
    ['16777216', 16777200],
    ['1000005', 1000000],
    ['1000015', 1000020],
    ['-1000005', -1000000],
    ['123456.5', 123456],
    ['123457.5', 123458],
    ['3.4028234e38', 3.40282e38],
    ['1.17549435e-38', 1.17549e-38],
    ['NULL', null],
  ),
  ...column('FLOAT(9,2)', ['1234567.125', 1234567.12], ['0.1', 0.1]),
  ...column(
    'DOUBLE',
    ['0.1', 0.1],
    ['9.657210100498085', 9.657210100498085],
    ['98.61449913649389', 98.61449913649389],
    ['-98.61449913649389', -98.61449913649389],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['2.2250738585072014e-308', 2.2250738585072014e-308],
    ['9007199254740993', 9007199254740992],
    ['NULL', null],
  ),
  ...column('DOUBLE(20,4)', ['1.5', 1.5], ['123456789.12346', 123456789.1235]),
  ...column('BIT(1)', ["b'1'", bytes(1)], ["b'0'", bytes(0)]),
  ...column('BIT(12)', ["b'101'", bytes(0, 5)], ['NULL', null]),
  ...column('BIT(64)', ['18446744073709551615', bytes(255, 255, 255, 255, 255, 255, 255, 255)]),
  ...column(
    'DATE',
    ["'2024-02-29'", '2024-02-29'],
    ["'0000-00-00'", '0000-00-00'],
    ["'2024-00-10'", '2024-00-10'],
    ["'0001-01-01'", '0001-01-01'],
    ['NULL', null],
  ),
  ...column(
    'DATETIME',
    ["'2024-02-29 12:34:56'", utc('2024-02-29T12:34:56')],
    ["'2024-01-01'", utc('2024-01-01T00:00:00')],
    ["'0001-01-01 00:00:00'", utc('0001-01-01T00:00:00')],
    ["'0099-12-31 23:59:59'", utc('0099-12-31T23:59:59')],
    ["'1969-12-31 23:59:59'", utc('1969-12-31T23:59:59')],
    ["'9999-12-31 23:59:59'", utc('9999-12-31T23:59:59')],
    ["'0000-00-00 00:00:00'", noDate],
    ["'2024-00-10 01:02:03'", noDate],
    ["'2024-10-00 01:02:03'", noDate],
    ['NULL', null],
  ),
  ...column(
    'DATETIME(3)',
    ["'2024-01-01 00:00:00'", utc('2024-01-01T00:00:00')],
    ["'2024-01-01 10:00:00.007'", utc('2024-01-01T10:00:00.007')],
    ["'1969-12-31 23:59:59.999'", utc('1969-12-31T23:59:59.999')],
  ),
  // a Date holds milliseconds: finer digits are cut off
  ...column(
    'DATETIME(6)',
    ["'2024-01-01 10:00:00.123999'", utc('2024-01-01T10:00:00.123')],
    ["'2024-01-01 10:00:00.000001'", utc('2024-01-01T10:00:00')],
  ),
  ...column('DATETIME(1)', ["'2024-01-01 10:00:00.5'", utc('2024-01-01T10:00:00.500')]),
  ...column(
    'TIMESTAMP NULL',
    ["'2024-02-29 12:34:56'", utc('2024-02-29T12:34:56')],
    ["'0000-00-00'", noDate],
    ['NULL', null],
  ),
  ...column('TIMESTAMP(6) NULL', ["'2024-02-29 12:34:56.000123'", utc('2024-02-29T12:34:56')]),
  ...column(
    'TIME',
    ["'00:00:00'", '00:00:00'],
    ["'-838:59:59'", '-838:59:59'],
    ["'838:59:59'", '838:59:59'],
    ["'100:00:01'", '100:00:01'],
    ['NULL', null],
  ),
  ...column(
    'TIME(3)',
    ["'00:00:00'", '00:00:00.000'],
    ["'12:00:00.5'", '12:00:00.500'],
    ["'-00:00:00.001'", '-00:00:00.001'],
    ["'25:00:00'", '25:00:00.000'],
  ),
  ...column('TIME(6)', ["'01:02:03.000001'", '01:02:03.000001']),
  ...column('YEAR', ['2024', 2024], ["'0000'", 0]),
  ...column('CHAR(5)', ["'a'", 'a'], ["''", '']),
  ...column('VARCHAR(20)', ["'é 日本 🎉'", 'é 日本 🎉'], ["''", ''], ['NULL', null]),
  ...column('VARCHAR(5) CHARACTER SET latin1', ["'é'", 'é']),
  ...column('VARCHAR(5) COLLATE utf8mb4_bin', ["'é'", 'é']),
  ...column('LONGTEXT', ["REPEAT('ab', 40000)", 'ab'.repeat(40_000)]),
  ...column("ENUM('a','é')", ["'é'", 'é']),
  ...column("SET('x','y')", ["'x,y'", 'x,y'], ["''", '']),
  ...column('BINARY(3)', ["X'41'", bytes(65, 0, 0)]),
  ...column('VARBINARY(10)', ["X'00FF27'", bytes(0, 255, 39)], ["''", Buffer.alloc(0)], ['NULL', null]),
  ...column('BLOB', ["X'0027'", bytes(0, 39)]),
  ...column('POINT', ["ST_GeomFromText('POINT(1 2.5)')", { x: 1, y: 2.5 }], ['NULL', null]),
  ...column('GEOMETRY', [
    "ST_GeomFromText('LINESTRING(0 0, 1 1)')",
    [
      { x: 0, y: 0 },
      { x: 1, y: 1 },
    ],
  ]),
  { type: 'JSON', stored: `'{"a": [1, "é", null]}'`, expected: { a: [1, 'é', null] }, only: 'mysql' },
  { type: 'JSON', stored: "'null'", expected: null, only: 'mysql' },
  { type: 'JSON', stored: `'"a"'`, expected: 'a', only: 'mysql' },
  { type: 'JSON', stored: 'NULL', expected: null, only: 'mysql' },
  { type: 'VECTOR(2)', stored: "STRING_TO_VECTOR('[1, 2.5]')", expected: [1, 2.5], only: 'mysql' },
  { type: 'VECTOR(2)', stored: 'NULL', expected: null, only: 'mysql' },
  { type: 'JSON', stored: `'{"a":1}'`, expected: '{"a":1}', only: 'mariadb' },
  {
    type: 'UUID',
    stored: "'6ccd780c-baba-1026-9564-5b8c656024db'",
    expected: '6ccd780c-baba-1026-9564-5b8c656024db',
    only: 'mariadb',
  },
  { type: 'INET6', stored: "'2001:db8::ff00:42:8329'", expected: '2001:db8::ff00:42:8329', only: 'mariadb' },
  { type: 'INET4', stored: "'1.2.3.4'", expected: '1.2.3.4', only: 'mariadb' },
];

/** Expressions have no column to say what they are. */
const expressions: readonly (readonly [string, unknown])[] = [
  ['NULL', null],
  ['1 = 1', 1],
  ['COUNT(*)', 1],
  ['1.10', '1.10'],
  ['0.1e0 + 0.2e0', 0.1 + 0.2],
  ['1.23456e0 * 1', 1.23456],
  ['(SELECT AVG(v) FROM (SELECT CAST(1.10 AS DECIMAL(4,2)) AS v) AS t)', '1.100000'],
  ['18446744073709551615', 18446744073709551615n],
  ['9007199254740991 + 2', 9007199254740993n],
  ["CAST('2024-01-01 10:00:00.5' AS DATETIME(1))", utc('2024-01-01T10:00:00.500')],
  ["TIMESTAMP('2024-01-01 10:00:00.500')", utc('2024-01-01T10:00:00.500')],
  ['SEC_TO_TIME(1.50)', '00:00:01.50'],
  ["CAST('2024-01-01' AS DATE)", '2024-01-01'],
  ["X'4100'", bytes(65, 0)],
  ["'a'", 'a'],
];

/** Every way in which a result can travel. */
async function readings(
  db: Cluster,
  statement: string,
  json?: readonly string[],
): Promise<Record<string, unknown>> {
  const options = json === undefined ? {} : { json };
  const streamed = async (prepare: boolean): Promise<unknown> => {
    for await (const row of db.primary<{ v: unknown }>().stream(statement, [], { ...options, prepare }))
      return row.v;
    return 'no row';
  };
  return {
    text: await db.primary().value(statement, [], options),
    prepared: await db.primary().value(statement, [], { ...options, prepare: true }),
    stream: await streamed(false),
    'prepared stream': await streamed(true),
  };
}

const everywhere = (value: unknown): Record<string, unknown> => ({
  text: value,
  prepared: value,
  stream: value,
  'prepared stream': value,
});

if (!labVendors.includes('mysql')) {
  test.skip('types on MySQL are NOT TESTED: set VIPSQL_MYSQLD to a mysqld, or run test/support/mysql.sh', () => {});
}

describe.each(labVendors)('types on %s', (vendor) => {
  const fitting = cases
    .filter(({ only }) => only === undefined || only === vendor)
    .map((entry, index) => ({ ...entry, name: `c${index}` }));
  let lab: Lab;
  let db: Cluster;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
    const admin = lab.owner();
    // what the strict mode of vipsql's own sessions would not let in
    await admin.query("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'");
    await admin.query(
      `CREATE TABLE lab.parity (id INT PRIMARY KEY, ${fitting.map(({ name, type }) => `${name} ${type}`).join(', ')}) ROW_FORMAT=DYNAMIC`,
    );
    await admin.query(`INSERT INTO lab.parity VALUES (1, ${fitting.map(({ stored }) => stored).join(', ')})`);
    db = createCluster(lab.config());
    await db.ready();
  });

  afterAll(async () => {
    await db?.close();
    await lab?.stop();
  });

  test.each(fitting)('$type $stored is $expected', async ({ name, expected }) => {
    expect(await readings(db, `SELECT ${name} AS v FROM parity`)).toEqual(everywhere(expected));
  });

  test.each(expressions)('%s is %o', async (expression, expected) => {
    expect(await readings(db, `SELECT ${expression} AS v FROM parity`)).toEqual(everywhere(expected));
  });

  test('all columns of a row together are as each is alone', async () => {
    const statement = `SELECT ${fitting.map(({ name }) => name).join(', ')} FROM parity`;
    const expected = Object.fromEntries(fitting.map(({ name, expected }) => [name, expected]));
    expect(await db.primary().one(statement)).toEqual(expected);
    expect(await db.primary().one(statement, [], { prepare: true })).toEqual(expected);
  });

  test('of two columns with one name the last counts, whatever its type', async () => {
    const later = "SELECT 9007199254740993 AS v, 'a' AS v";
    const earlier = "SELECT 'a' AS v, 9007199254740993 AS v";
    expect(await readings(db, later)).toEqual(everywhere('a'));
    expect(await readings(db, earlier)).toEqual(everywhere(9007199254740993n));
  });

  test('each set of a procedure is read by its own types', async () => {
    await lab
      .owner()
      .query(
        "CREATE PROCEDURE lab.sets() BEGIN SELECT 9007199254740993 AS v; SELECT 'a' AS v; SELECT CAST('2024-01-01' AS DATETIME(3)) AS v; END",
      );
    const expected = [[{ v: 9007199254740993n }], [{ v: 'a' }], [{ v: utc('2024-01-01T00:00:00') }]];
    expect((await db.primary().call('CALL sets()')).sets).toEqual(expected);
    expect((await db.primary().call('CALL sets()', [], { prepare: true })).sets).toEqual(expected);
  });

  describe('columns to parse as JSON', () => {
    test.each<[string, unknown]>([
      [`'{"a": [1, null]}'`, { a: [1, null] }],
      ["'1'", 1],
      ['NULL', null],
    ])('%s is %o', async (stored, expected) => {
      expect(await readings(db, `SELECT ${stored} AS v`, ['v', 'other'])).toEqual(everywhere(expected));
    });

    test.each([false, true])(
      'which are none are an error that does not quote them (prepared: %s)',
      async (prepare) => {
        const statement = "SELECT '1' AS v UNION ALL SELECT 'hunter2'";
        const error = await rejection(db.primary().query(statement, [], { json: ['v'], prepare }));
        expect(error).toBeInstanceOf(RowSchemaError);
        expect(error).toMatchObject({ rowIndex: 1, path: 'v' });
        expect(String((error as Error).stack)).not.toContain('hunter2');
      },
    );
  });

  describe.each<[string, object, readonly (readonly [string, unknown])[]]>([
    [
      'bigint: bigint',
      { bigint: 'bigint' },
      [
        ['CAST(7 AS SIGNED) + 9007199254740991 - 9007199254740991', 7n],
        ['-9007199254740993', -9007199254740993n],
      ],
    ],
    [
      'bigint: string',
      { bigint: 'string' },
      [
        ['9007199254740991 - 9007199254740984', '7'],
        ['-9007199254740993', '-9007199254740993'],
        ['(SELECT MAX(z) FROM zerofilled)', '42'],
      ],
    ],
    [
      'dates: string',
      { dates: 'string' },
      [
        ["CAST('2024-01-01' AS DATETIME)", '2024-01-01 00:00:00'],
        ["CAST('2024-01-01' AS DATETIME(3))", '2024-01-01 00:00:00.000'],
        ["CAST('2024-01-01 10:00:00.000120' AS DATETIME(6))", '2024-01-01 10:00:00.000120'],
        ["CAST('0001-01-01' AS DATETIME)", '0001-01-01 00:00:00'],
        ['(SELECT d FROM zerofilled)', '0000-00-00 00:00:00.00'],
      ],
    ],
    [
      'timezone: +02:00',
      { timezone: '+02:00' },
      [
        ["CAST('2024-01-01 10:00:00' AS DATETIME)", utc('2024-01-01T08:00:00')],
        ['FROM_UNIXTIME(1700000000.5)', new Date(1_700_000_000_500)],
      ],
    ],
  ])('with %s', (_title, config, values) => {
    let other: Cluster;

    beforeAll(async () => {
      await lab
        .owner()
        .query(
          'CREATE TABLE IF NOT EXISTS lab.zerofilled (z BIGINT(20) ZEROFILL PRIMARY KEY, d DATETIME(2))',
        );
      await lab.owner().query("REPLACE INTO lab.zerofilled VALUES (42, '0000-00-00')");
      other = createCluster({ ...lab.config(), ...config });
    });
    afterAll(() => other.close());

    test.each(values)('%s is %o', async (expression, expected) => {
      expect(await readings(other, `SELECT ${expression} AS v`)).toEqual(everywhere(expected));
    });
  });
});
