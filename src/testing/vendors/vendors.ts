import type { LabVendor } from '../lab.ts';
import { mariadb } from './mariadb.ts';
import { mysql } from './mysql.ts';
import type { Vendor } from './vendor.ts';

/** How to run each database. */
export const vendors: Readonly<Record<LabVendor, Vendor>> = { mariadb, mysql };
