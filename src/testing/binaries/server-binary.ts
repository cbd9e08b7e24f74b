import type { LabVendor } from '../lab.ts';

/** A database server program that was found to run. */
export interface ServerBinary {
  readonly vendor: LabVendor;
  readonly version: string;
  readonly command: string;
  /** Where its files were unpacked, when that is not where it was built to look. */
  readonly relocatedTo?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A Redis program that was found to run. */
export interface RedisBinary {
  readonly command: string;
  /** It is the server only if called by that name: Debian's redis-tools holds it as `redis-check-rdb` alone. */
  readonly callAs?: string;
  readonly env?: Readonly<Record<string, string>>;
}
