import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../processes/run-program.ts';
import type { LabAccounts, ReplicationThread, Vendor } from './vendor.ts';

const threadName: Record<ReplicationThread, string> = {
  receiver: ' IO_THREAD',
  applier: ' SQL_THREAD',
  both: '',
};

const storageArgs = [
  '--innodb-buffer-pool-size=16M',
  '--innodb-redo-log-capacity=8M',
  // 2 keeps every acknowledged row over a kill -9; 0 does not.
  '--innodb-flush-log-at-trx-commit=2',
  '--innodb-doublewrite=OFF',
  '--sync-binlog=0',
];

/** With MySQL's own sizes a server takes half as long again to start and twice the memory. */
const smallArgs = [
  ...storageArgs,
  '--character-set-server=utf8mb4',
  '--max-connections=500',
  '--innodb-log-buffer-size=1M',
  '--table-open-cache=400',
  '--performance-schema-digests-size=100',
  '--performance-schema-error-size=0',
  '--performance-schema-max-memory-classes=0',
  '--performance-schema-events-statements-history-long-size=10',
  '--performance-schema-events-stages-history-long-size=10',
  '--performance-schema-events-transactions-history-long-size=10',
  '--performance-schema-events-waits-history-long-size=10',
];

/** MySQL 8.4 or newer. */
export const mysql: Vendor = {
  name: 'mysql',
  templateVersion: 1,

  async initialise(dataFolder, { binary, accounts, keeper }) {
    const initFile = `${dataFolder}.sql`;
    await writeFile(
      initFile,
      accountSql(accounts)
        .map((statement) => `${statement};\n`)
        .join(''),
    );
    const args = [
      '--no-defaults',
      '--initialize-insecure',
      `--datadir=${dataFolder}`,
      `--init-file=${initFile}`,
      ...storageArgs,
      ...runtimeArgs(),
    ];
    try {
      await runProgram(binary.command, args, { env: binary.env, keeper });
    } finally {
      await rm(initFile, { force: true });
    }
    // Each copy makes an identity of its own.
    await rm(join(dataFolder, 'auto.cnf'), { force: true });
  },

  serverArgs: (_binary, { host, port, serverId, dataFolder, socket, autoIncrement }) => [
    '--no-defaults',
    `--datadir=${dataFolder}`,
    `--tmpdir=${dataFolder}`,
    `--socket=${socket}`,
    `--pid-file=${socket}.pid`,
    `--bind-address=${host}`,
    `--port=${port}`,
    '--mysqlx=OFF',
    '--secure-file-priv=NULL',
    `--server-id=${serverId}`,
    '--gtid-mode=ON',
    '--enforce-gtid-consistency=ON',
    '--log-bin=binlog',
    '--relay-log=relay',
    '--relay-log-recovery=ON',
    '--super-read-only=ON',
    '--skip-replica-start',
    '--replica-net-timeout=2',
    '--skip-name-resolve',
    '--plugin-load-add=semisync_source.so',
    '--plugin-load-add=semisync_replica.so',
    ...smallArgs,
    ...(autoIncrement === undefined
      ? []
      : [
          `--auto-increment-increment=${autoIncrement.increment}`,
          `--auto-increment-offset=${autoIncrement.offset}`,
        ]),
    ...runtimeArgs(),
  ],

  accountSql,
  smallArgs,

  // read_only = OFF clears super_read_only too; the limit is for a client's LOCK TABLES.
  readOnly: (on) =>
    on
      ? 'SET SESSION lock_wait_timeout = 1, GLOBAL super_read_only = ON'
      : 'SET SESSION lock_wait_timeout = 1, GLOBAL read_only = OFF',

  replicateFrom: (source, account) =>
    `CHANGE REPLICATION SOURCE TO SOURCE_HOST='${source.host}', SOURCE_PORT=${source.port}, ` +
    `SOURCE_USER='${account.user}', SOURCE_PASSWORD='${account.password}', SOURCE_AUTO_POSITION=1, ` +
    'GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=100000, SOURCE_HEARTBEAT_PERIOD=0.5',
  startReplication: (thread) => `START REPLICA${threadName[thread]}`,
  stopReplication: (thread) => `STOP REPLICA${threadName[thread]}`,

  async replicationStatus(query) {
    const [row = {}] = await query('SHOW REPLICA STATUS');
    return {
      receiving: row.Replica_IO_Running === 'Yes',
      applying: row.Replica_SQL_Running === 'Yes',
      received: String(row.Retrieved_Gtid_Set ?? ''),
      error: [row.Last_IO_Error, row.Last_SQL_Error].filter(Boolean).join('; '),
    };
  },

  async position(query) {
    const [row] = await query('SELECT @@GLOBAL.gtid_executed AS position');
    return String(row?.position).replaceAll('\n', '');
  },
  async holds(query, position) {
    const [row] = await query('SELECT GTID_SUBSET(?, @@GLOBAL.gtid_executed) AS held', [position]);
    return row?.held === 1;
  },
  forgetSource: 'RESET REPLICA ALL',
  continueFromData: [],

  enableAcknowledging: ['SET GLOBAL rpl_semi_sync_replica_enabled = ON'],
  waitForAcknowledgement: (timeoutMs) => [
    `SET GLOBAL rpl_semi_sync_source_timeout = ${timeoutMs}`,
    'SET GLOBAL rpl_semi_sync_source_enabled = ON',
  ],
  stopWaiting: ['SET GLOBAL rpl_semi_sync_source_enabled = OFF'],
  async semiSyncStatus(query) {
    const rows = await query("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_source_%'");
    const values = new Map(rows.map((row) => [row.Variable_name, row.Value]));
    return {
      waiting: values.get('Rpl_semi_sync_source_status') === 'ON',
      acknowledgers: Number(values.get('Rpl_semi_sync_source_clients')),
    };
  },
};

function runtimeArgs(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

function accountSql({ admin, replication, application, database }: LabAccounts): string[] {
  const user = `'${application.user}'@'%'`;
  return [
    `CREATE DATABASE ${database} CHARACTER SET utf8mb4`,
    `CREATE USER '${admin.user}'@'%' IDENTIFIED BY '${admin.password}'`,
    `GRANT ALL ON *.* TO '${admin.user}'@'%' WITH GRANT OPTION`,
    `CREATE USER '${replication.user}'@'%' IDENTIFIED BY '${replication.password}'`,
    `GRANT REPLICATION SLAVE ON *.* TO '${replication.user}'@'%'`,
    `CREATE USER ${user} IDENTIFIED BY '${application.password}'`,
    `GRANT ALL ON ${database}.* TO ${user}`,
    `GRANT REPLICATION CLIENT, PROCESS ON *.* TO ${user}`,
    `GRANT SELECT ON performance_schema.* TO ${user}`,
  ];
}
