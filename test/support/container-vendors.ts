import { describe } from 'vitest';
import type { LabVendor } from '../../src/testing/index.ts';
import { withoutContainers } from './without-containers.ts';

const vendors: readonly LabVendor[] = ['mariadb', 'mysql'];

/** A suite for each database; skipped where container labs cannot run, which the end of the run then says. */
export function describeContainers(title: string, suite: (vendor: LabVendor) => void): void {
  describe.skipIf(process.env[withoutContainers] !== undefined).each(vendors)(`${title}, %s`, suite);
}
