import { describe, expect, test } from 'vitest';
import { readLag, statusPrivilege, statusStatement } from '../../../src/topology/lag-reading.ts';

const mysql = (row: object): object => ({
  Replica_IO_Running: 'Yes',
  Replica_SQL_Running: 'Yes',
  Seconds_Behind_Source: 0,
  Last_IO_Error: '',
  Last_SQL_Error: '',
  ...row,
});

const mariadb = (row: object): object => ({
  Slave_IO_Running: 'Yes',
  Slave_SQL_Running: 'Yes',
  Seconds_Behind_Master: 0,
  Last_IO_Error: '',
  Last_SQL_Error: '',
  ...row,
});

const known = (lagMs: number) => ({ kind: 'known', lagMs });
const unknown = (reason: RegExp) => ({ kind: 'unknown', reason: expect.stringMatching(reason) });

describe('readLag', () => {
  test.each<readonly [string, readonly object[], object]>([
    ['nobody is followed', [], { kind: 'no-replica' }],
    ['MySQL, nothing behind', [mysql({})], known(0)],
    ['MySQL, behind', [mysql({ Seconds_Behind_Source: 7 })], known(7_000)],
    ['MariaDB and MySQL 5.7', [mariadb({ Seconds_Behind_Master: 3 })], known(3_000)],
    ['a number as text', [mariadb({ Seconds_Behind_Master: '12' })], known(12_000)],
    ['of several the worst', [mysql({ Seconds_Behind_Source: 9 }), mysql({})], known(9_000)],
    ['of several a stopped one', [mysql({}), mysql({ Replica_SQL_Running: 'No' })], unknown(/applier/)],
    [
      'a stopped applier that still says 0',
      [mariadb({ Slave_SQL_Running: 'No', Seconds_Behind_Master: 0, Last_SQL_Error: 'Duplicate entry' })],
      unknown(/applier has stopped: Duplicate entry/),
    ],
    [
      'a receiver that is connecting',
      [mysql({ Replica_IO_Running: 'Connecting', Last_IO_Error: 'refused' })],
      unknown(/not connected to its source: refused/),
    ],
    ['a stopped receiver that says 0', [mariadb({ Slave_IO_Running: 'No' })], unknown(/not connected/)],
    ['a receiver that prepares', [mariadb({ Slave_IO_Running: 'Preparing' })], unknown(/not connected/)],
    ['NULL', [mysql({ Seconds_Behind_Source: null })], unknown(/does not know/)],
    ['nothing of the kind', [{}], unknown(/applier/)],
    ['no number', [mariadb({ Seconds_Behind_Master: 'soon' })], unknown(/does not know/)],
  ])('%s', (_, rows, reading) => {
    expect(readLag(rows as Record<string, unknown>[])).toEqual(reading);
  });
});

test.each([
  ['mysql', '5.7.44-log', 'SHOW SLAVE STATUS', 'REPLICATION CLIENT'],
  ['mysql', '8.0.21', 'SHOW SLAVE STATUS', 'REPLICATION CLIENT'],
  ['mysql', '8.0.22', 'SHOW REPLICA STATUS', 'REPLICATION CLIENT'],
  ['mysql', '8.4.0', 'SHOW REPLICA STATUS', 'REPLICATION CLIENT'],
  ['mysql', '9.7.1', 'SHOW REPLICA STATUS', 'REPLICATION CLIENT'],
  ['mariadb', '10.4.34-MariaDB', 'SHOW ALL SLAVES STATUS', 'REPLICATION CLIENT'],
  ['mariadb', '10.5.1-MariaDB', 'SHOW ALL SLAVES STATUS', 'REPLICATION CLIENT'],
  ['mariadb', '10.5.2-MariaDB', 'SHOW ALL SLAVES STATUS', 'SLAVE MONITOR'],
  ['mariadb', '10.11.19-MariaDB-deb12', 'SHOW ALL SLAVES STATUS', 'SLAVE MONITOR'],
  ['mariadb', '11.4.2-MariaDB', 'SHOW ALL SLAVES STATUS', 'SLAVE MONITOR'],
] as const)('%s %s is asked %s and needs %s', (vendor, version, statement, privilege) => {
  expect(statusStatement({ vendor, version })).toBe(statement);
  expect(statusPrivilege({ vendor, version })).toBe(privilege);
});
