import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerBinary } from './binaries/server-binary.ts';
import type { Keeper } from './processes/keeper.ts';
import { runProgram } from './processes/run-program.ts';
import type { Progress } from './progress.ts';
import type { LabAccounts, Vendor } from './vendors/vendor.ts';

/** What making a template depends on. */
export interface TemplateRequest {
  readonly vendor: Vendor;
  readonly binary: ServerBinary;
  readonly accounts: LabAccounts;
  readonly progress: Progress;
  readonly cacheFolder: string;
  readonly labFolder: string;
  readonly keeper: Keeper;
}

/**
 * A data folder to copy servers from. It is made once for each version of the server and kept in the cache; where
 * that cannot be written, it is made anew for each lab.
 */
export async function provideTemplate(request: TemplateRequest): Promise<string> {
  const { vendor, binary, accounts, progress, cacheFolder, labFolder, keeper } = request;
  const template = join(cacheFolder, `${vendor.name}-${await fingerprint(request)}`);
  if (await exists(template)) return template;
  const folder = (await isWritable(cacheFolder)) ? cacheFolder : labFolder;
  const unfinished = join(folder, `unfinished-${process.pid}-${Date.now()}`);
  keeper.removeAtEnd(unfinished);
  progress.step(`creating a data folder of ${binary.vendor} ${binary.version}, kept in ${folder}`);
  await vendor.initialise(unfinished, { binary, accounts, keeper });
  const finished = folder === cacheFolder ? template : join(folder, 'template');
  // Another lab may have finished the same one meanwhile.
  await rename(unfinished, finished).catch(async (error: unknown) => {
    if (!(await exists(finished))) throw error;
  });
  return finished;
}

/** Copies a data folder; `cp` is several times faster than Node's copying, and so is the removal of what it wrote. */
export async function copyDataFolder(from: string, to: string, keeper: Keeper): Promise<void> {
  await runProgram('cp', ['-R', from, to], { keeper });
}

async function fingerprint({ vendor, binary, accounts }: TemplateRequest): Promise<string> {
  const { mtimeMs } = await stat(binary.command);
  const facts = [
    vendor.templateVersion,
    binary.command,
    binary.version,
    mtimeMs,
    accounts,
    process.getuid?.(),
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
}

async function isWritable(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
