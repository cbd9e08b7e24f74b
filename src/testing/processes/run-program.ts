import { spawn } from 'node:child_process';
import { LabError } from '../lab-error.ts';
import type { Keeper } from './keeper.ts';

/** What {@link runProgram} may be told. */
export interface RunOptions {
  /** Who ends it when this process ends; without one it runs to its end. */
  readonly keeper: Keeper | undefined;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Default 120 000. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end and returns what it printed; rejects with its last lines if it fails. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<string> {
  const { keeper, input = '', env, timeoutMs = 120_000 } = options;
  const child =
    keeper?.spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env }) ??
    spawn(command, args, { detached: true, stdio: 'pipe', env: { ...process.env, ...env } });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  let output = '';
  let errors = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  try {
    const end = await new Promise<string | number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(signal ?? code));
    });
    if (end === 0) return output;
    const tail = `${output}\n${errors}`.trim().split('\n').slice(-15).join('\n');
    throw new LabError(`${[command, ...args].join(' ')} ended with ${end}:\n${tail}`);
  } finally {
    clearTimeout(timer);
    if (child.pid !== undefined) keeper?.forget(child.pid);
  }
}
