import { readFileSync } from 'node:fs';
import { accounts } from '../../../src/testing/accounts.ts';
import { vendors } from '../../../src/testing/vendors/vendors.ts';

/** Prints the SQL of every account of a container lab. Usage: accounts-sql.ts mysql|mariadb */
const name = process.argv[2] === 'mysql' ? 'mysql' : 'mariadb';
const file = new URL(`../../../docs/keepalived/accounts-${name}.sql`, import.meta.url);
// The network of a lab is not known yet when its images are made.
const documented = readFileSync(file, 'utf8').replaceAll('192.168.3.%', '%');
const own = vendors[name].accountSql(accounts).map((statement) => `${statement};\n`);
process.stdout.write(`${own.join('')}${documented}`);
