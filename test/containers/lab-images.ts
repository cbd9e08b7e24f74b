import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LabVendor } from '../../src/testing/index.ts';

const setup = fileURLToPath(new URL('setup.sh', import.meta.url));

/** The name of the image that a vendor's servers run in; it changes with whatever goes into it. */
export function imageOf(vendor: LabVendor): string {
  return execFileSync(setup, ['image', vendor], { encoding: 'utf8' }).trim();
}
