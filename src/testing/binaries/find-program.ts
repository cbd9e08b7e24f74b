import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Server programs live outside an ordinary user's PATH. */
const moreFolders = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/usr/libexec',
  '/usr/local/bin',
  '/usr/local/mysql/bin',
  '/opt/homebrew/bin',
  '/opt/homebrew/opt/mariadb/bin',
  '/opt/homebrew/opt/mysql/bin',
];

/** Every program of that name, in the PATH and where servers usually are. */
export async function findPrograms(name: string): Promise<string[]> {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...moreFolders];
  const paths = [...new Set(folders)].map((folder) => join(folder, name));
  const checks = await Promise.all(paths.map(isProgram));
  return paths.filter((_, index) => checks[index]);
}

/** The first program of that name. */
export async function findProgram(name: string): Promise<string | undefined> {
  return (await findPrograms(name))[0];
}

/** Whether the file exists and may be executed. */
export async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
