import { describe, expect, it, test } from 'vitest';
import { parsePosition } from '../../../src/consistency/parse-position.ts';
import { readSource } from '../../../src/consistency/replication-source.ts';

const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';

const contains =
  (vendor: 'mysql' | 'mariadb') =>
  (executed: string, received: string): boolean =>
    parsePosition(vendor, executed).contains(parsePosition(vendor, received));

const mysqlRow = {
  Replica_IO_Running: 'Yes',
  Source_UUID: uuid,
  Source_Server_Id: 7,
  Auto_Position: 1,
  Retrieved_Gtid_Set: `${uuid}:1-20`,
  Executed_Gtid_Set: `${uuid}:1-20,\n8a94f357-aab4-11df-86ab-c80aa9429562:1-3`,
  Source_Log_File: 'binlog.000002',
  Read_Source_Log_Pos: 900,
  Relay_Source_Log_File: 'binlog.000001',
  Exec_Source_Log_Pos: 4,
  Replicate_Do_DB: '',
};

const mariadbRow = {
  Slave_IO_Running: 'Connecting',
  Master_Server_Id: '1',
  Using_Gtid: 'Slave_Pos',
  Gtid_IO_Pos: '1-1-20',
  Gtid_Slave_Pos: '1-1-20,2-2-5',
  Master_Log_File: 'binlog.000002',
  Read_Master_Log_Pos: '900',
  Relay_Master_Log_File: 'binlog.000001',
  Exec_Master_Log_Pos: '4',
};

const withoutGtids = {
  Slave_IO_Running: 'No',
  Master_Server_Id: 1,
  Using_Gtid: 'No',
  Master_Log_File: 'binlog.000002',
  Read_Master_Log_Pos: 900,
  Relay_Master_Log_File: 'binlog.000002',
  Exec_Master_Log_Pos: 900,
};

describe('readSource', () => {
  it('understands MySQL', () => {
    expect(readSource(mysqlRow, contains('mysql'))).toEqual({
      uuid,
      serverId: 7,
      receiving: true,
      applied: true,
      filtered: false,
    });
  });

  it('understands MariaDB, whose servers have no uuid', () => {
    expect(readSource(mariadbRow, contains('mariadb'))).toEqual({
      uuid: '',
      serverId: 1,
      receiving: false,
      applied: true,
      filtered: false,
    });
  });

  test.each<readonly [string, 'mysql' | 'mariadb', Record<string, unknown>, boolean]>([
    [
      'MySQL with a transaction to apply',
      'mysql',
      { ...mysqlRow, Retrieved_Gtid_Set: `${uuid}:1-21` },
      false,
    ],
    ['MySQL with a gap', 'mysql', { ...mysqlRow, Executed_Gtid_Set: `${uuid}:1-18:20` }, false],
    ['MySQL that received nothing', 'mysql', { ...mysqlRow, Retrieved_Gtid_Set: '' }, true],
    ['MariaDB with a transaction to apply', 'mariadb', { ...mariadbRow, Gtid_IO_Pos: '1-1-21' }, false],
    [
      'MariaDB that applied nothing of a domain',
      'mariadb',
      { ...mariadbRow, Gtid_Slave_Pos: '2-2-5' },
      false,
    ],
    ['positions that are equal', 'mariadb', withoutGtids, true],
    ['positions in one file', 'mariadb', { ...withoutGtids, Exec_Master_Log_Pos: 899 }, false],
    ['positions in two files', 'mariadb', { ...withoutGtids, Relay_Master_Log_File: 'binlog.000001' }, false],
    // Without auto-positioning the sets of MySQL say nothing: an empty one is contained in any.
    [
      'MySQL by file and position',
      'mysql',
      { ...mysqlRow, Auto_Position: 0, Retrieved_Gtid_Set: '', Executed_Gtid_Set: '' },
      false,
    ],
  ])('%s (%s)', (_, vendor, row, applied) => {
    expect(readSource(row, contains(vendor)).applied).toBe(applied);
  });

  test.each([
    'Replicate_Do_DB',
    'Replicate_Wild_Ignore_Table',
    'Replicate_Ignore_Server_Ids',
    'Replicate_Do_Domain_Ids',
  ])('a rule in %s leaves something out', (name) => {
    expect(readSource({ ...mysqlRow, [name]: 'shop' }, contains('mysql')).filtered).toBe(true);
  });
});
