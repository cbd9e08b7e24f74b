import { existsSync } from 'node:fs';
import { mkdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ServerBinary } from '../binaries/server-binary.ts';
import { LabError } from '../lab-error.ts';
import { runProgram } from '../processes/run-program.ts';
import { stateHolds } from './mariadb-position.ts';
import type { LabAccounts, ReplicationThread, Vendor } from './vendor.ts';

const threadName: Record<ReplicationThread, string> = {
  receiver: ' IO_THREAD',
  applier: ' SQL_THREAD',
  both: '',
};

const smallArgs = [
  '--character-set-server=utf8mb4',
  '--max-connections=500',
  '--innodb-buffer-pool-size=16M',
  '--innodb-log-file-size=4M',
  // 2 keeps every acknowledged row over a kill -9; 0 does not.
  '--innodb-flush-log-at-trx-commit=2',
  '--innodb-flush-method=nosync',
  '--innodb-doublewrite=OFF',
  '--sync-binlog=0',
];

/** MariaDB 10.5 or newer. */
export const mariadb: Vendor = {
  name: 'mariadb',
  templateVersion: 1,

  async initialise(dataFolder, { binary, accounts, keeper }) {
    await mkdir(dataFolder);
    const args = [
      '--no-defaults',
      '--bootstrap',
      `--datadir=${dataFolder}`,
      '--enforce-storage-engine=',
      '--innodb-log-file-size=4M',
      '--innodb-flush-method=nosync',
      '--silent-startup',
      ...runtimeArgs(binary),
    ];
    await runProgram(binary.command, args, {
      input: await bootstrapSql(binary, accounts),
      env: binary.env,
      keeper,
    });
  },

  serverArgs: (binary, { host, port, serverId, dataFolder, socket, autoIncrement }) => [
    '--no-defaults',
    `--datadir=${dataFolder}`,
    `--tmpdir=${dataFolder}`,
    `--socket=${socket}`,
    `--pid-file=${socket}.pid`,
    `--bind-address=${host}`,
    `--port=${port}`,
    `--server-id=${serverId}`,
    // Domains of their own let both masters write, as in a split brain, without one's sequence blocking the other's.
    `--gtid-domain-id=${serverId}`,
    '--gtid-strict-mode=ON',
    '--log-bin=binlog',
    '--binlog-format=ROW',
    '--log-slave-updates=ON',
    '--relay-log=relay',
    '--read-only=ON',
    '--skip-slave-start',
    '--slave-net-timeout=2',
    '--skip-name-resolve',
    '--rpl-semi-sync-master-wait-point=AFTER_SYNC',
    ...smallArgs,
    ...(autoIncrement === undefined
      ? []
      : [
          `--auto-increment-increment=${autoIncrement.increment}`,
          `--auto-increment-offset=${autoIncrement.offset}`,
        ]),
    ...runtimeArgs(binary),
  ],

  accountSql,
  smallArgs,

  // Without the limit a client's LOCK TABLES would keep this waiting.
  readOnly: (on) => `SET STATEMENT lock_wait_timeout = 1 FOR SET GLOBAL read_only = ${on ? 1 : 0}`,

  replicateFrom: (source, account) =>
    `CHANGE MASTER TO MASTER_HOST='${source.host}', MASTER_PORT=${source.port}, MASTER_USER='${account.user}', ` +
    `MASTER_PASSWORD='${account.password}', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1, ` +
    'MASTER_HEARTBEAT_PERIOD=0.5',
  startReplication: (thread) => `START SLAVE${threadName[thread]}`,
  stopReplication: (thread) => `STOP SLAVE${threadName[thread]}`,

  async replicationStatus(query) {
    const [row = {}] = await query('SHOW SLAVE STATUS');
    return {
      receiving: row.Slave_IO_Running === 'Yes',
      applying: row.Slave_SQL_Running === 'Yes',
      received: String(row.Gtid_IO_Pos ?? ''),
      error: [row.Last_IO_Error, row.Last_SQL_Error].filter(Boolean).join('; '),
    };
  },

  async position(query) {
    const [row] = await query('SELECT @@GLOBAL.gtid_binlog_pos AS position');
    return String(row?.position);
  },
  async holds(query, position) {
    const [row] = await query(
      'SELECT CONCAT(@@GLOBAL.gtid_binlog_state, ",", @@GLOBAL.gtid_slave_pos) AS state',
    );
    return stateHolds(String(row?.state), position);
  },
  forgetSource: 'RESET SLAVE ALL',
  continueFromData: ['SET GLOBAL gtid_slave_pos = @@GLOBAL.gtid_binlog_pos'],

  enableAcknowledging: ['SET GLOBAL rpl_semi_sync_slave_enabled = ON'],
  waitForAcknowledgement: (timeoutMs) => [
    `SET GLOBAL rpl_semi_sync_master_timeout = ${timeoutMs}`,
    'SET GLOBAL rpl_semi_sync_master_enabled = ON',
  ],
  stopWaiting: ['SET GLOBAL rpl_semi_sync_master_enabled = OFF'],
  async semiSyncStatus(query) {
    const rows = await query("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_%'");
    const values = new Map(rows.map((row) => [row.Variable_name, row.Value]));
    return {
      waiting: values.get('Rpl_semi_sync_master_status') === 'ON',
      acknowledgers: Number(values.get('Rpl_semi_sync_master_clients')),
    };
  },
};

/** What the binary needs wherever it runs. */
function runtimeArgs(binary: ServerBinary): string[] {
  return [
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    ...(binary.relocatedTo === undefined ? [] : [`--basedir=${binary.relocatedTo}/usr`]),
  ];
}

/** The server's own scripts create the system tables; its bootstrap mode wants one statement a line. */
async function bootstrapSql(binary: ServerBinary, accounts: LabAccounts): Promise<string> {
  const share = await shareFolder(binary);
  const scripts = ['system_tables', 'performance_tables', 'system_tables_data'].map((script) =>
    readFile(
      firstExisting([join(share, `mariadb_${script}.sql`), join(share, `mysql_${script}.sql`)]),
      'utf8',
    ),
  );
  const [tables, performance, data] = await Promise.all(scripts);
  return [
    'create database mysql;',
    'use mysql;',
    'SET @auth_root_socket=NULL;',
    tables,
    performance,
    data,
    'FLUSH PRIVILEGES;',
    ...accountSql(accounts).map((statement) => `${statement};`),
    '',
  ].join('\n');
}

async function shareFolder(binary: ServerBinary): Promise<string> {
  const base =
    binary.relocatedTo === undefined
      ? dirname(dirname(await realpath(binary.command)))
      : join(binary.relocatedTo, 'usr');
  const folders = ['share/mysql', 'share/mariadb', 'share'].map((folder) => join(base, folder));
  return dirname(
    firstExisting(
      folders.flatMap((folder) => [
        join(folder, 'mariadb_system_tables.sql'),
        join(folder, 'mysql_system_tables.sql'),
      ]),
    ),
  );
}

function firstExisting(paths: readonly string[]): string {
  const found = paths.find((path) => existsSync(path));
  if (found === undefined)
    throw new LabError(`none of these files of the MariaDB server exists: ${paths.join(', ')}`);
  return found;
}

function accountSql({ admin, replication, application, database }: LabAccounts): string[] {
  const user = `'${application.user}'@'%'`;
  return [
    `CREATE DATABASE ${database} CHARACTER SET utf8mb4`,
    ...['%', 'localhost'].flatMap((host) => [
      `CREATE USER '${admin.user}'@'${host}' IDENTIFIED BY '${admin.password}'`,
      `GRANT ALL ON *.* TO '${admin.user}'@'${host}' WITH GRANT OPTION`,
    ]),
    `CREATE USER '${replication.user}'@'%' IDENTIFIED BY '${replication.password}'`,
    `GRANT REPLICATION SLAVE ON *.* TO '${replication.user}'@'%'`,
    `CREATE USER ${user} IDENTIFIED BY '${application.password}'`,
    // On every schema it would be an account that read_only does not stop.
    `GRANT ALL ON ${database}.* TO ${user}`,
    `GRANT BINLOG MONITOR, SLAVE MONITOR, REPLICATION MASTER ADMIN, PROCESS ON *.* TO ${user}`,
  ];
}
