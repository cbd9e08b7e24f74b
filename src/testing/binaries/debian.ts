import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LabError } from '../lab-error.ts';
import type { Keeper } from '../processes/keeper.ts';
import { runProgram } from '../processes/run-program.ts';
import type { Progress } from '../progress.ts';
import { findProgram } from './find-program.ts';

const fetchTimeoutMs = 600_000;
const env = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

/** What can be fetched. Neither package brings a service; redis-tools holds the server under another name. */
export type Wanted = 'mariadb' | 'redis';

/** Whether this machine has Debian's package tools. */
export async function hasPackageTools(): Promise<boolean> {
  const tools = await Promise.all(['apt-get', 'apt-cache', 'dpkg-deb'].map((tool) => findProgram(tool)));
  return tools.every((tool) => tool !== undefined);
}

/** Installs the packages; for root only. Once begun it runs to its end, also if this process does not. */
export async function installPackages(wanted: readonly Wanted[], progress: Progress): Promise<void> {
  progress.notice(`apt-get install for ${wanted.join(' and ')} (about 60 MB on disk, no services)`);
  const apt = new Apt(['-o', 'DPkg::Lock::Timeout=120'], undefined);
  await apt.get('update');
  await apt.get('install', '--no-install-recommends', ...(await packageNames(wanted, apt)));
}

/**
 * Unpacks the packages, and the libraries this machine lacks, below the folder, without any privilege and without
 * touching the machine's own package lists.
 */
export async function unpackPackages(
  wanted: readonly Wanted[],
  folder: string,
  { progress, keeper }: { readonly progress: Progress; readonly keeper: Keeper },
): Promise<void> {
  progress.notice(`fetching ${wanted.join(' and ')} into ${folder} (about 60 MB)`);
  const work = `${folder}.unfinished-${process.pid}`;
  // Before it exists: an interrupted download leaves nothing behind.
  keeper.removeAtEnd(work);
  try {
    await mkdir(join(work, 'lists/partial'), { recursive: true });
    await mkdir(join(work, 'cache/archives/partial'), { recursive: true });
    const options = ['Debug::NoLocking=1', `Dir::State::Lists=${work}/lists`, `Dir::Cache=${work}/cache`];
    const apt = new Apt(
      options.flatMap((option) => ['-o', option]),
      keeper,
    );
    await apt.get('update');
    await apt.get(
      'install',
      '--download-only',
      '--no-install-recommends',
      ...(await packageNames(wanted, apt)),
    );
    const archives = join(work, 'cache/archives');
    for (const file of await readdir(archives)) {
      if (file.endsWith('.deb'))
        await runProgram('dpkg-deb', ['-x', join(archives, file), join(work, 'tree')], { keeper });
    }
    await mkdir(dirname(folder), { recursive: true });
    await rm(folder, { recursive: true, force: true });
    await rename(join(work, 'tree'), folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** MariaDB's package carried a version in its name until Debian 12 and Ubuntu 23.04. */
async function packageNames(wanted: readonly Wanted[], apt: Apt): Promise<string[]> {
  const names: string[] = [];
  if (wanted.includes('redis')) names.push('redis-tools');
  if (!wanted.includes('mariadb')) return names;
  const found = await apt.searchNames('^mariadb-server-core');
  const name = found.find((candidate) => candidate === 'mariadb-server-core') ?? found.sort().at(-1);
  if (name === undefined)
    throw new LabError('apt knows no package mariadb-server-core; is its mirror reachable?');
  return [...names, name];
}

class Apt {
  readonly #options: readonly string[];
  readonly #keeper: Keeper | undefined;

  constructor(options: readonly string[], keeper: Keeper | undefined) {
    this.#options = options;
    this.#keeper = keeper;
  }

  async get(...args: readonly string[]): Promise<void> {
    await this.#run('apt-get', ['-q', '-y', ...this.#options, ...args]);
  }

  async searchNames(pattern: string): Promise<string[]> {
    const lines = await this.#run('apt-cache', [...this.#options, 'search', '--names-only', pattern]);
    return lines.split('\n').flatMap((line) => line.split(' ')[0] || []);
  }

  #run(command: string, args: readonly string[]): Promise<string> {
    return runProgram(command, args, { env, keeper: this.#keeper, timeoutMs: fetchTimeoutMs });
  }
}
