import type { LabOptions, LabVendor } from './lab.ts';
import { LabError } from './lab-error.ts';
import type { SemiSync } from './promotion.ts';

/** {@link LabOptions} with every default in place. */
export interface LabSettings {
  readonly vendor: LabVendor | undefined;
  readonly replicas: number;
  readonly redis: boolean;
  readonly semiSync: SemiSync;
  readonly binaries: { readonly mysqld?: string; readonly redis?: string };
  readonly serverOptions: readonly string[];
  readonly onProgress: ((line: string) => void) | undefined;
}

/** The name of every option. */
export const optionNames = [
  'vendor',
  'replicas',
  'redis',
  'semiSync',
  'binaries',
  'serverOptions',
  'onProgress',
] as const satisfies readonly (keyof LabOptions)[];

const semiSyncTimeoutMs = 3_600_000;

/** Checks the options and fills in the defaults. */
export function resolveOptions(options: LabOptions): LabSettings {
  const { vendor, replicas = 2, redis = true, semiSync = true, binaries = {}, serverOptions = [] } = options;
  const unknown = Object.keys(options).find((key) => !optionNames.some((name) => name === key));
  if (unknown !== undefined) {
    throw new LabError(`startLab: unknown option ${unknown}; known are ${optionNames.join(', ')}`);
  }
  if (vendor !== undefined && vendor !== 'mariadb' && vendor !== 'mysql') {
    throw new LabError(`startLab: vendor must be 'mariadb' or 'mysql', not ${JSON.stringify(vendor)}`);
  }
  if (!Number.isInteger(replicas) || replicas < 0 || replicas > 20) {
    throw new LabError(
      `startLab: replicas must be a whole number from 0 to 20, not ${JSON.stringify(replicas)}`,
    );
  }
  return {
    vendor,
    replicas,
    redis,
    semiSync: resolveSemiSync(semiSync),
    binaries,
    serverOptions,
    onProgress: options.onProgress,
  };
}

function resolveSemiSync(semiSync: boolean | { readonly timeoutMs: number }): SemiSync {
  if (semiSync === false) return undefined;
  if (semiSync === true) return { timeoutMs: semiSyncTimeoutMs };
  const { timeoutMs } = semiSync;
  if (Number.isInteger(timeoutMs) && timeoutMs > 0) return { timeoutMs };
  throw new LabError(
    `startLab: semiSync.timeoutMs must be a whole number above 0, not ${JSON.stringify(timeoutMs)}`,
  );
}
