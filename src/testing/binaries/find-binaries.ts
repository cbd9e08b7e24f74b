import { delimiter, join } from 'node:path';
import type { LabVendor } from '../lab.ts';
import { LabError } from '../lab-error.ts';
import type { Keeper } from '../processes/keeper.ts';
import { runProgram } from '../processes/run-program.ts';
import { findProgram, findPrograms, isProgram } from './find-program.ts';
import type { RedisBinary, ServerBinary } from './server-binary.ts';

/** Where a user says which program to take. */
const variables: Record<LabVendor, string> = { mariadb: 'VIPSQL_MARIADBD', mysql: 'VIPSQL_MYSQLD' };

/** A server of that vendor that runs on this machine; the environment variable wins. */
export async function findServer(vendor: LabVendor, keeper: Keeper): Promise<ServerBinary | undefined> {
  const variable = variables[vendor];
  const told = process.env[variable];
  if (told !== undefined && told !== '') {
    const binary = await identifyServer(told, { keeper });
    if (binary.vendor === vendor) return binary;
    throw new LabError(`${variable} names ${told}, which is ${binary.vendor} ${binary.version}`);
  }
  const names = vendor === 'mariadb' ? ['mariadbd', 'mysqld'] : ['mysqld'];
  for (const command of (await Promise.all(names.map(findPrograms))).flat()) {
    const binary = await identifyServer(command, { keeper }).catch(() => undefined);
    if (binary?.vendor === vendor) return binary;
  }
  return undefined;
}

/** Asks a program what it is: on Debian, `mysqld` is MariaDB's. */
export async function identifyServer(
  command: string,
  { keeper, relocatedTo }: { readonly keeper: Keeper; readonly relocatedTo?: string },
): Promise<ServerBinary> {
  const env = relocatedTo === undefined ? undefined : libraryPath(relocatedTo);
  const line = await runProgram(command, ['--no-defaults', '--version'], { env, keeper, timeoutMs: 20_000 });
  const version = /Ver (\S+)/.exec(line)?.[1];
  if (version === undefined) throw new LabError(`${command} --version tells no version: ${line}`);
  return {
    vendor: /mariadb/i.test(line) ? 'mariadb' : 'mysql',
    version,
    command,
    ...(relocatedTo === undefined ? {} : { relocatedTo }),
    ...(env === undefined ? {} : { env }),
  };
}

/** A Redis, or a program that is one under another name. */
export async function findRedis(): Promise<RedisBinary | undefined> {
  const server = (await findProgram('redis-server')) ?? (await findProgram('valkey-server'));
  if (server !== undefined) return { command: server };
  const twin = await findProgram('redis-check-rdb');
  return twin === undefined ? undefined : { command: twin, callAs: 'redis-server' };
}

/** MariaDB from packages that were unpacked earlier into one of the folders. */
export async function findUnpackedServer(
  folders: readonly string[],
  keeper: Keeper,
): Promise<ServerBinary | undefined> {
  for (const folder of folders) {
    const command = join(folder, 'usr/sbin/mariadbd');
    if (!(await isProgram(command))) continue;
    // A library of the machine that it leans on may have gone since.
    const binary = await identifyServer(command, { keeper, relocatedTo: folder }).catch(() => undefined);
    if (binary !== undefined) return binary;
  }
  return undefined;
}

/** Redis from packages that were unpacked earlier into one of the folders. */
export async function findUnpackedRedis(folders: readonly string[]): Promise<RedisBinary | undefined> {
  for (const folder of folders) {
    const command = join(folder, 'usr/bin/redis-check-rdb');
    if (await isProgram(command)) return { command, callAs: 'redis-server', env: libraryPath(folder) };
  }
  return undefined;
}

function libraryPath(root: string): Record<string, string> {
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  const folders = [join(root, 'usr/lib', triplet), join(root, 'lib', triplet)];
  return { LD_LIBRARY_PATH: folders.join(delimiter) };
}
