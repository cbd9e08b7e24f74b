import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the lab keeps what is worth keeping between runs: unpacked packages and data folders to copy. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'vipsql-lab');
}
