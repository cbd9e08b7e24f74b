import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ClusterConfig } from '../../../src/index.ts';
import { ownCommand } from '../../../src/pool/command.ts';
import type { Connection } from '../../../src/pool/connection.ts';
import { Deadline } from '../../../src/resilience/deadline.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { ConnectorFixture, valueOn } from './pool-fixture.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** What `OWN_GTID` and `last_gtid` look like. */
const oneGtid = { mysql: /^[0-9a-f-]{36}:\d+$/, mariadb: /^\d+-\d+-\d+$/ };

describe.each(labVendors)('the position of a write on %s', (vendor) => {
  let lab: Lab;
  let opened: { connector: ConnectorFixture; connection: Connection }[] = [];

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false });
    await lab.owner().query('CREATE TABLE lab.t (id INT PRIMARY KEY AUTO_INCREMENT, n INT)');
    await lab.owner().query(
      `CREATE PROCEDURE lab.three() BEGIN
         INSERT INTO lab.t (n) VALUES (1); INSERT INTO lab.t (n) VALUES (2); SELECT 5; INSERT INTO lab.t (n) VALUES (3);
       END`,
    );
    await lab.heal();
  });

  beforeEach(() =>
    lab
      .owner()
      .query('INSERT INTO lab.t (id, n) VALUES (1000000, 1)')
      .then(() => undefined),
  );

  afterEach(async () => {
    for (const { connector, connection } of opened) {
      connection.destroy();
      connector.close();
    }
    opened = [];
    await lab.owner().query('DELETE FROM lab.t');
  });

  afterAll(() => lab.stop());

  async function open(config: Partial<ClusterConfig> = {}): Promise<Connection> {
    const connector = new ConnectorFixture({ ...lab.config(), ...config });
    const connection = await connector.connect();
    opened.push({ connector, connection });
    return connection;
  }

  async function positionOf(
    connection: Connection,
    text: string,
    values?: unknown[],
  ): Promise<string | undefined> {
    const command = { ...ownCommand(text, 'other'), values };
    return (await connection.run(command, new Deadline(10_000))).position;
  }

  /** The last position of the server's own. */
  async function serverPosition(): Promise<string> {
    const sql =
      vendor === 'mysql'
        ? "SELECT CONCAT(@@server_uuid, ':', REGEXP_SUBSTR(GTID_SUBTRACT(@@GLOBAL.gtid_executed, ''), " +
          "CONCAT('(?<=', @@server_uuid, ':1-)[0-9]+'))) AS position"
        : 'SELECT @@GLOBAL.gtid_binlog_pos AS position';
    const [row] = await lab.owner().query(sql);
    return String(row?.position);
  }

  const insert = 'INSERT INTO t (n) VALUES (1)';

  test('comes with its answer, by either protocol, and is the server’s', async () => {
    const connection = await open();
    for (const values of [undefined, []]) {
      const position = await positionOf(connection, insert, values);
      expect(position).toMatch(oneGtid[vendor]);
      expect(position).toBe(await serverPosition());
    }
  });

  test('comes with the COMMIT of a transaction, and with nothing before', async () => {
    const connection = await open();
    expect(await positionOf(connection, 'START TRANSACTION')).toBeUndefined();
    expect(await positionOf(connection, insert)).toBeUndefined();
    expect(await positionOf(connection, 'COMMIT')).toBe(await serverPosition());
  });

  test('comes with DDL, and of a procedure it is the last', async () => {
    const connection = await open();
    expect(await positionOf(connection, 'CREATE TABLE u (id INT)')).toBe(await serverPosition());
    await positionOf(connection, 'DROP TABLE u');
    const [, last] = /(\d+)$/.exec((await positionOf(connection, 'CALL three()')) ?? '') ?? [];
    expect(await serverPosition()).toMatch(new RegExp(`\\D${last}$`));
  });

  test.each([
    'SELECT * FROM t',
    'DO 1',
    'UPDATE t SET n = 1 WHERE id = 1000000',
    'DELETE FROM t WHERE id = -1',
    'SET @x = 1',
  ])('is none for %s, also right after a write', async (text) => {
    const connection = await open();
    await positionOf(connection, insert);
    expect(await positionOf(connection, text)).toBeUndefined();
  });

  test('is none for a transaction that was rolled back', async () => {
    const connection = await open();
    await positionOf(connection, 'START TRANSACTION');
    await positionOf(connection, insert);
    expect(await positionOf(connection, 'ROLLBACK')).toBeUndefined();
  });

  test('comes again after the session was reset', async () => {
    const connection = await open();
    await connection.reset(new Deadline(5_000));
    expect(await positionOf(connection, insert)).toBe(await serverPosition());
  });

  test('is told by a stream', async () => {
    const connection = await open();
    const told: string[] = [];
    connection.positions = { onPosition: (position) => told.push(position), onCommitWithoutPosition() {} };
    await new Promise<void>((resolve, reject) => {
      connection.open(ownCommand(insert, 'other'), {
        onRow() {},
        onEnd: (error) => (error === undefined ? resolve() : reject(error)),
      });
    });
    expect(told).toEqual([await serverPosition()]);
  });

  test('is told to the listener before the answer is', async () => {
    const connection = await open();
    const told: string[] = [];
    connection.positions = {
      onPosition: (position) => told.push(position),
      onCommitWithoutPosition: () => told.push('none'),
    };
    const position = await positionOf(connection, insert);
    expect(told).toEqual([position]);
  });

  test('is not asked for on a READ ONLY session', async () => {
    const connector = new ConnectorFixture(lab.config());
    const connection = await connector.connector.connect({ readOnly: true, deadline: new Deadline(5_000) });
    opened.push({ connector, connection });
    const tracked = await valueOn(
      connection,
      vendor === 'mysql' ? 'SELECT @@session_track_gtids' : 'SELECT @@session_track_system_variables',
    );
    expect(tracked).not.toMatch(/OWN_GTID|last_gtid/);
  });

  test('is done without on a server that does not know how to track', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    const [known, unknown] =
      vendor === 'mysql' ? ['session_track_gtids', 'session_track_gtidz'] : ['last_gtid', 'last_gtiz'];
    proxy.rewrite = (chunk) => Buffer.from(chunk.toString('latin1').replace(known, unknown), 'latin1');
    const connection = await open({
      primary: proxy.address,
      timezone: '+02:00',
      sessionVariables: { session_track_system_variables: 'autocommit' },
    });
    expect(await positionOf(connection, insert)).toBeUndefined();
    expect(await valueOn(connection, 'SELECT @@time_zone')).toBe('+02:00');
    expect(await valueOn(connection, 'SELECT @@session_track_system_variables')).toBe('autocommit');
    await connection.reset(new Deadline(5_000));
    expect(await positionOf(connection, insert)).toBeUndefined();
  });

  test.runIf(vendor === 'mariadb').each([
    ['time_zone', 'last_gtid,time_zone'],
    ['', 'last_gtid'],
    ['*', /^\*$|last_gtid/],
  ])('is tracked beside %j, which the configuration tracks', async (given, expected) => {
    const connection = await open({ sessionVariables: { session_track_system_variables: given } });
    expect(await valueOn(connection, 'SELECT @@session_track_system_variables')).toMatch(expected);
    expect(await positionOf(connection, insert)).toBe(await serverPosition());
  });

  test.runIf(vendor === 'mariadb')('is none for a write that answers with rows', async () => {
    const connection = await open();
    expect(await positionOf(connection, `${insert} RETURNING id`)).toBeUndefined();
  });
});
