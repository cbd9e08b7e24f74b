import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GtidList } from '../../../src/consistency/gtid-list.ts';
import { GtidSet } from '../../../src/consistency/gtid-set.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { labVendors } from '../../support/lab-vendors.ts';

const uuids = ['aaaaaaaa-0000-1111-2222-333333333333', '00000000-ffff-0000-ffff-000000000000'];
const most = 2n ** 63n - 2n;

const sequences = fc.oneof(fc.bigInt({ min: 1n, max: 40n }), fc.bigInt({ min: most - 20n, max: most }));
const intervals = fc.tuple(sequences, sequences).map(([x, y]) => {
  const [first, last] = x < y ? [x, y] : [y, x];
  return first === last ? `${first}` : `${first}-${last}`;
});
const items = fc
  .tuple(
    fc.constantFrom(...uuids, ...uuids.map((uuid) => uuid.toUpperCase())),
    fc.constantFrom('', ':tag', ':Tag', ':_other'),
    fc.array(intervals, { minLength: 1, maxLength: 6 }),
    fc.constantFrom('', ' ', '\n'),
  )
  .map(([uuid, tag, list, space]) => `${uuid}${space}${tag}${list.map((each) => `:${each}`).join('')}`);
const sets = fc.array(items, { maxLength: 5 }).map((list) => list.join(',\n'));

const oneLine = (text: unknown): string => String(text).replaceAll('\n', '');

describe.each(labVendors.filter((vendor) => vendor === 'mysql'))('GtidSet and %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
  });

  afterAll(() => lab.stop());

  test('agree on GTID_SUBSET, GTID_SUBTRACT and the text of random sets', async () => {
    await fc.assert(
      fc.asyncProperty(sets, sets, async (x, y) => {
        const [row] = await lab
          .owner()
          .query(
            "SELECT GTID_SUBSET(?, ?) AS subset, GTID_SUBTRACT(?, ?) AS difference, GTID_SUBTRACT(?, '') AS text",
            [x, y, x, y, x],
          );
        const [left, right] = [GtidSet.parse(x), GtidSet.parse(y)];
        expect(right.contains(left)).toBe(row?.subset === 1);
        expect(left.subtract(right).toString()).toBe(oneLine(row?.difference));
        expect(left.toString()).toBe(oneLine(row?.text));
      }),
      { numRuns: 500 },
    );
  });

  test('agree on unions, which the server adds up from text', async () => {
    await fc.assert(
      fc.asyncProperty(sets, sets, async (x, y) => {
        const both = [x, y].filter((text) => text !== '').join(',');
        const [row] = await lab.owner().query("SELECT GTID_SUBTRACT(?, '') AS text", [both]);
        expect(GtidSet.parse(x).union(GtidSet.parse(y)).toString()).toBe(oneLine(row?.text));
      }),
      { numRuns: 200 },
    );
  });

  test('agree on what the server itself has executed', async () => {
    const server = lab.owner();
    await server.query('CREATE TABLE lab.t (id INT PRIMARY KEY)');
    await server.query('INSERT INTO lab.t VALUES (1)');
    const [row] = await server.query('SELECT @@GLOBAL.gtid_executed AS executed, @@server_uuid AS uuid');
    const executed = GtidSet.parse(String(row?.executed));
    expect(executed.toString()).toBe(oneLine(row?.executed));
    expect(executed.from(String(row?.uuid)).isEmpty).toBe(false);
  });
});

describe.each(labVendors.filter((vendor) => vendor === 'mariadb'))('GtidList and %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
  });

  afterAll(() => lab.stop());

  test('agree on what a server with several domains and writers holds', async () => {
    const server = lab.owner();
    await server.query('CREATE TABLE lab.t (id INT PRIMARY KEY)');
    for (const [domain, id] of [
      [5, 77],
      [5, 78],
      [6, 77],
    ]) {
      await server.query(`SET SESSION gtid_domain_id = ${domain}, SESSION server_id = ${id}`);
      await server.query(`INSERT INTO lab.t VALUES (${Number(domain) * 100 + Number(id)})`);
    }
    const [row] = await server.query('SELECT @@GLOBAL.gtid_binlog_state AS state');
    const state = GtidList.parse(String(row?.state));
    const sorted = (text: unknown): string[] => String(text).split(',').sort();
    expect(sorted(state)).toEqual(sorted(row?.state));
    expect(state.from(77).union(state.from(78)).toString()).toBe('5-77-1,5-78-2,6-77-1');
  });
});
