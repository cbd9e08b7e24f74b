import type { ServerName } from '../../src/testing/index.ts';
import { vendors } from '../../src/testing/vendors/vendors.ts';
import type { ContainerLabSettings } from './container-options.ts';

const program = { mysql: 'mysqld', mariadb: 'mariadbd' } as const;
const acknowledges = {
  mysql: '--rpl-semi-sync-replica-enabled',
  mariadb: '--rpl-semi-sync-slave-enabled',
} as const;

/** The command line of a server. What makes it one of a pair of masters stands in its configuration file. */
export function serverCommand(
  { vendor, semiSync, serverOptions }: ContainerLabSettings,
  name: ServerName,
): string[] {
  const isMaster = name === 'a' || name === 'b';
  return [
    program[vendor],
    '--defaults-file=/lab/server.cnf',
    '--user=root',
    '--datadir=/var/lib/lab',
    '--socket=/run/mysqld/mysqld.sock',
    '--pid-file=/run/mysqld/mysqld.pid',
    ...vendors[vendor].smallArgs,
    // A prober goes on connecting to a frozen server; the application must not find the queue full.
    '--back-log=1000',
    // With a replica that acknowledges, a commit would not be safe on the other master.
    `${acknowledges[vendor]}=${isMaster && semiSync ? 'ON' : 'OFF'}`,
    ...serverOptions,
  ];
}
