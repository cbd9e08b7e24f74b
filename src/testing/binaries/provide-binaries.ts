import { join } from 'node:path';
import type { LabVendor } from '../lab.ts';
import { LabError } from '../lab-error.ts';
import type { LabSettings } from '../lab-options.ts';
import type { Keeper } from '../processes/keeper.ts';
import type { Progress } from '../progress.ts';
import { cacheFolder } from './cache-folder.ts';
import type { Wanted } from './debian.ts';
import { hasPackageTools, installPackages, unpackPackages } from './debian.ts';
import {
  findRedis,
  findServer,
  findUnpackedRedis,
  findUnpackedServer,
  identifyServer,
} from './find-binaries.ts';
import type { RedisBinary, ServerBinary } from './server-binary.ts';

/** The programs a lab runs. */
export interface Binaries {
  readonly server: ServerBinary;
  /** Undefined if the lab runs without Redis. */
  readonly redis: RedisBinary | undefined;
}

type Found = { readonly server: ServerBinary | undefined; readonly redis: RedisBinary | undefined };

/**
 * Finds the programs; on Debian and Ubuntu fetches MariaDB and Redis if they are missing.
 *
 * @throws LabError that says what to install
 */
export async function provideBinaries(
  settings: LabSettings,
  progress: Progress,
  keeper: Keeper,
): Promise<Binaries> {
  const found = await find(settings, keeper);
  const missing = missingFrom(found, settings);
  if (missing.length > 0) await fetch(missing, settings.vendor, progress, keeper);
  const { server, redis } = missing.length > 0 ? await find(settings, keeper) : found;
  if (server === undefined || (settings.redis && redis === undefined)) {
    throw new LabError(howToInstall(missing, settings.vendor, 'what was fetched does not run'));
  }
  return { server, redis };
}

async function find(settings: LabSettings, keeper: Keeper): Promise<Found> {
  const [server, redis] = await Promise.all([chooseServer(settings, keeper), chooseRedis(settings)]);
  return { server, redis };
}

async function chooseServer(
  { vendor, binaries }: LabSettings,
  keeper: Keeper,
): Promise<ServerBinary | undefined> {
  if (binaries.mysqld !== undefined) {
    const server = await identifyServer(binaries.mysqld, { keeper });
    if (vendor === undefined || server.vendor === vendor) return server;
    throw new LabError(`binaries.mysqld is ${server.vendor} ${server.version}, but vendor is ${vendor}`);
  }
  const mariadb = async (): Promise<ServerBinary | undefined> =>
    (await findServer('mariadb', keeper)) ?? (await findUnpackedServer(unpackedFolders('mariadb'), keeper));
  if (vendor === 'mariadb') return mariadb();
  if (vendor === 'mysql') return findServer('mysql', keeper);
  return (await mariadb()) ?? (await findServer('mysql', keeper));
}

async function chooseRedis({ redis, binaries }: LabSettings): Promise<RedisBinary | undefined> {
  if (!redis) return undefined;
  if (binaries.redis !== undefined) return { command: binaries.redis };
  return (await findRedis()) ?? (await findUnpackedRedis(unpackedFolders('redis')));
}

function missingFrom({ server, redis }: Found, settings: LabSettings): Wanted[] {
  const missing: Wanted[] = [];
  if (server === undefined) missing.push('mariadb');
  if (settings.redis && redis === undefined) missing.push('redis');
  return missing;
}

async function fetch(
  missing: readonly Wanted[],
  vendor: LabVendor | undefined,
  progress: Progress,
  keeper: Keeper,
): Promise<void> {
  if (vendor === 'mysql' && missing.includes('mariadb')) {
    throw new LabError(howToInstall(missing, vendor, 'Debian has no MySQL server package'));
  }
  if (!(await hasPackageTools())) {
    throw new LabError(howToInstall(missing, vendor, 'without apt-get the lab cannot fetch it'));
  }
  try {
    if (process.getuid?.() === 0) await installPackages(missing, progress);
    else
      await unpackPackages(missing, join(cacheFolder(), `debian-${missing.join('-')}`), { progress, keeper });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LabError(howToInstall(missing, vendor, reason), { cause: error });
  }
}

/** Packages are unpacked together if they were missing together; taking one later must not remove the other. */
function unpackedFolders(wanted: Wanted): string[] {
  return [`debian-${wanted}`, 'debian-mariadb-redis'].map((folder) => join(cacheFolder(), folder));
}

function howToInstall(missing: readonly Wanted[], vendor: LabVendor | undefined, reason: string): string {
  const lines = missing.map((each) => {
    if (each === 'redis') {
      return '- Redis (apt-get install redis-tools, dnf install redis, brew install redis), or startLab({ redis: false })';
    }
    return vendor === 'mysql'
      ? '- MySQL 8.4 or newer: put mysqld in the PATH, or its path in VIPSQL_MYSQLD or binaries.mysqld'
      : '- MariaDB 10.5 or newer (apt-get install mariadb-server-core, dnf install mariadb-server, brew install mariadb)';
  });
  return `the lab lacks programs (${reason}). Install:\n${lines.join('\n')}`;
}
