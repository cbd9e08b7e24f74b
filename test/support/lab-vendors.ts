import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LabVendor } from '../../src/testing/index.ts';

/** Where `test/support/mysql.sh` puts MySQL. */
const fetchedMysqld = fileURLToPath(new URL('../../.cache/mysql/bin/mysqld', import.meta.url));

if (!process.env.VIPSQL_MYSQLD && existsSync(fetchedMysqld)) process.env.VIPSQL_MYSQLD = fetchedMysqld;

/**
 * The databases that tests run on: MariaDB, and MySQL where `VIPSQL_MYSQLD` names one or `test/support/mysql.sh` has
 * fetched it.
 */
export const labVendors: readonly LabVendor[] = process.env.VIPSQL_MYSQLD
  ? ['mariadb', 'mysql']
  : ['mariadb'];
