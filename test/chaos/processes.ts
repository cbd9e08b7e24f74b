import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Starts a script, named from this folder, which finds `setup` as JSON in its first argument. */
export function forkScript(script: `./${string}.ts` | `../${string}.ts`, setup: unknown): ChildProcess {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return fork(fileURLToPath(new URL(script, import.meta.url)), [JSON.stringify(setup)], {
    execArgv: ['--import', loader],
    serialization: 'advanced',
  });
}

/** Kills the process and resolves when it has ended. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await ended;
}
