import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster, SqlScalar, SqlValue } from '../../../src/index.ts';
import { createCluster, sql } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { labVendors } from '../../support/lab-vendors.ts';

const utc = (text: string): Date => new Date(`${text}Z`);

/** Characters that an escaper may get wrong, among others. */
const strings = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc
    .array(
      fc.constantFrom(
        "'",
        '"',
        '`',
        '\\',
        '\0',
        '\x1a',
        '\n',
        '\r',
        '%',
        '_',
        '\\\\',
        "\\'",
        '*/',
        '-- ',
        '#',
        ';',
        '?',
        ':a',
        '🎉',
        'é',
        '\u2028',
      ),
      { maxLength: 20 },
    )
    .map((parts) => parts.join('')),
);
const batch = { numRuns: 40 };

describe.each(labVendors)('values on %s', (vendor) => {
  let lab: Lab;
  let db: Cluster;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
    await lab.owner().query(`CREATE TABLE lab.held (
      id INT PRIMARY KEY AUTO_INCREMENT, big BIGINT UNSIGNED, price DECIMAL(40,20), dbl DOUBLE, flt FLOAT, str TEXT, bin BLOB,
      dt DATETIME(3), ts TIMESTAMP(3) NULL, j JSON)`);
    db = createCluster(lab.config());
    await db.ready();
  });

  afterAll(async () => {
    await db?.close();
    await lab?.stop();
  });

  describe.each([
    ['text', false],
    ['prepared', true],
  ])('in %s', (_protocol, prepare) => {
    const options = { prepare };

    /** What the server makes of each value, all in one statement. */
    async function echo(values: readonly SqlScalar[], expression = '?'): Promise<unknown[]> {
      const columns = values.map((_, i) => `${expression} AS v${i}`).join(', ');
      const row = await db.primary().one(`SELECT ${columns}`, values, options);
      return values.map((_, i) => row[`v${i}`]);
    }

    test('every string comes back as it was', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(strings, { minLength: 1, maxLength: 50 }), async (values) => {
          expect(await echo(values)).toEqual(values);
        }),
        batch,
      );
    });

    test('every string is stored as it was, and found by itself', async () => {
      await fc.assert(
        fc.asyncProperty(strings, async (value) => {
          const { insertId } = await db
            .primary()
            .execute('INSERT INTO held (str) VALUES (:s)', { s: value }, options);
          const where = 'SELECT id, str FROM held WHERE id = :id AND BINARY str = BINARY :s';
          expect(await db.primary().query(where, { id: insertId, s: value }, options)).toEqual([
            { id: insertId, str: value },
          ]);
        }),
        batch,
      );
    });

    test('bytes come back as they were, all 256 of them', async () => {
      const asBytes = 'CAST(? AS BINARY)'; // MySQL prepares a bare ? as text
      const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      expect(await echo([all], asBytes)).toEqual([all]);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 20 }),
          async (values) => {
            expect(await echo(values, asBytes)).toEqual(values.map((value) => Buffer.from(value)));
            const { insertId } = await db
              .primary()
              .execute('INSERT INTO held (bin) VALUES (?)', [values[0] ?? null], options);
            expect(await db.primary().value('SELECT bin FROM held WHERE id = ?', [insertId])).toEqual(
              Buffer.from(values[0] ?? []),
            );
          },
        ),
        batch,
      );
    });

    test.each<[SqlScalar, unknown]>([
      [0, 0],
      [-0, 0],
      [2 ** 53 - 1, 2 ** 53 - 1],
      [-(2 ** 53) + 1, -(2 ** 53) + 1],
      [2 ** 60, 2n ** 60n],
      [9007199254740993n, 9007199254740993n],
      [2n ** 63n - 1n, 2n ** 63n - 1n],
      [-(2n ** 63n), -(2n ** 63n)],
      [2n ** 64n - 1n, 2n ** 64n - 1n],
      [2n ** 64n, '18446744073709551616'],
      [1e20, '100000000000000000000'],
      [1.5, '1.5'],
      [-0.1, '-0.1'],
      [1e-7, 1e-7],
      [1e300, 1e300],
      [true, 1],
      [false, 0],
      [null, null],
      [new Date('2024-02-29T12:34:56.789Z'), '2024-02-29 12:34:56.789'],
    ])('%o is %o to the server', async (value, expected) => {
      expect(await echo([value])).toEqual([expected]);
    });

    test('integers stay exact in arithmetic and comparison', async () => {
      const insert = 'INSERT INTO held (big) VALUES (?)';
      const { insertId } = await db.primary().execute(insert, [2n ** 64n - 10n], options);
      await db.primary().execute('UPDATE held SET big = big - ? WHERE id = ?', [3, insertId], options);
      expect(await db.primary().value('SELECT big FROM held WHERE id = ?', [insertId], options)).toBe(
        2n ** 64n - 13n,
      );
      const found = 'SELECT COUNT(*) FROM held WHERE id = ? AND big = ?';
      expect(await db.primary().value(found, [insertId, 2n ** 64n - 13n], options)).toBe(1);
      expect(await db.primary().value(found, [insertId, 2n ** 64n - 12n], options)).toBe(0);
      expect(await db.primary().value('SELECT ? + 2 AS sum', [2 ** 53 - 1], options)).toBe(2n ** 53n + 1n);
    });

    test('fractions are decimal: no cent is lost', async () => {
      const { insertId } = await db
        .primary()
        .execute('INSERT INTO held (price) VALUES (?)', ['12345678901234567.01'], options);
      await db.primary().execute('UPDATE held SET price = price + ? WHERE id = ?', [0.01, insertId], options);
      expect(await db.primary().value('SELECT price FROM held WHERE id = ?', [insertId])).toBe(
        '12345678901234567.02000000000000000000',
      );
    });

    test('a value keeps its kind after values of other kinds in the same statement', async () => {
      for (const value of [5, 'hello', 1.5, null, 'x', true, 7n, '7']) {
        const expected = typeof value === 'bigint' || value === true ? Number(value) : value;
        const json = await db.primary().value<unknown>("SELECT JSON_ARRAY(?, 'end') AS v", [value], options);
        expect(typeof json === 'string' ? JSON.parse(json) : json).toEqual([expected, 'end']);
      }
    });

    test('LIMIT and OFFSET take numbers and bigints', async () => {
      const statement =
        'SELECT n FROM (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3) AS t ORDER BY n LIMIT ? OFFSET ?';
      expect(await db.primary().query(statement, [1, 1n], options)).toEqual([{ n: 2 }]);
    });

    test('arrays expand in IN', async () => {
      const statement =
        'SELECT n FROM (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3) AS t WHERE n IN (:ids) AND n NOT IN (:not) ORDER BY n';
      expect(await db.primary().query(statement, { ids: [1, 2n, 3], not: [2] }, options)).toEqual([
        { n: 1 },
        { n: 3 },
      ]);
    });

    test('every double is stored and read to the last bit', async () => {
      const doubles = fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.double({ min: -100, max: 100, noNaN: true }),
        fc.double({ min: 9, max: 10, noNaN: true }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(doubles, { minLength: 20, maxLength: 100 }), async (values) => {
          await db.primary().execute('DELETE FROM held');
          await db
            .primary()
            .execute(
              sql`INSERT INTO held (dbl) VALUES ${sql.values(values.map((value) => [value]))}`,
              undefined,
              options,
            );
          const read = await db
            .primary<{ dbl: number }>()
            .query('SELECT dbl FROM held ORDER BY id', [], options);
          expect(read.map(({ dbl }) => dbl + 0)).toEqual(values.map((value) => value + 0));
        }),
        batch,
      );
    });

    test('a Date is stored and read as the same moment, in any time zone of the session', async () => {
      const moments = [
        utc('2024-02-29T12:34:56.789'),
        utc('1970-01-01T00:00:01'),
        utc('2037-12-31T23:59:59.999'),
      ];
      for (const timezone of ['+00:00', '+05:30', '-11:00']) {
        const other = createCluster({ ...lab.config(), timezone });
        try {
          for (const moment of moments) {
            const { insertId } = await other
              .primary()
              .execute('INSERT INTO held (dt, ts) VALUES (?, ?)', [moment, moment], options);
            const row = 'SELECT dt, ts, UNIX_TIMESTAMP(ts) AS seconds FROM held WHERE id = ?';
            expect(await other.primary().one(row, [insertId], options)).toEqual({
              dt: moment,
              ts: moment,
              seconds: (moment.getTime() / 1000).toFixed(3),
            });
          }
        } finally {
          await other.close();
        }
      }
    });
  });

  test('a FLOAT is the same number in both protocols, ties included', async () => {
    const floats = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: 100_000, max: 1_677_721 }).map((n) => n * 10 + 5),
      fc.integer({ min: 100_000, max: 999_999 }).map((n) => n + 0.5),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(floats, { minLength: 50, maxLength: 200 }), async (values) => {
        await db.primary().execute('DELETE FROM held');
        await db
          .primary()
          .execute(sql`INSERT INTO held (flt) VALUES ${sql.values(values.map((value) => [value]))}`);
        const statement = 'SELECT flt FROM held ORDER BY id';
        expect(await db.primary().query(statement, [], { prepare: true })).toEqual(
          await db.primary().query(statement),
        );
      }),
      batch,
    );
  });

  test('a bulk insert of objects stores each row', async () => {
    await db.primary().execute('DELETE FROM held');
    const rows = [
      { str: "it's", big: 1n, bin: Buffer.from([0]) },
      { str: '\\', big: 2n, bin: null },
    ];
    await db
      .primary()
      .execute(sql`INSERT INTO held (big, str, bin) VALUES ${sql.values(rows, ['big', 'str', 'bin'])}`);
    expect(await db.primary().query('SELECT str, big, bin FROM held ORDER BY id')).toEqual(
      rows.map((row) => ({ ...row, big: Number(row.big) })),
    );
  });

  test('an identifier reaches the table of that name', async () => {
    const name = 'odd `name`? :x';
    await lab.owner().query(`CREATE TABLE lab.\`${name.replaceAll('`', '``')}\` (a INT)`);
    const values: SqlValue[] = [7];
    await db.primary().execute(sql`INSERT INTO ${sql.id('lab', name)} VALUES (${values[0] as number})`);
    expect(await db.primary().value(sql`SELECT ${sql.id('a')} FROM ${sql.id(name)}`)).toBe(7);
  });
});
