import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Killing what a dead test worker has left takes the lab's keeper a moment. */
const graceMs = 5_000;

let folder: string;

/** Gives the run a temporary folder of its own: what the run starts inherits it, and is known by it. */
export function setup(): void {
  folder = mkdtempSync(join(tmpdir(), 'vipsql-test-'));
  // Servers may run as another user.
  chmodSync(folder, 0o755);
  process.env.TMPDIR = folder;
}

/** Fails the run when a server, Redis or relay has outlived it, or the folder of a lab. */
export async function teardown(): Promise<void> {
  const end = performance.now() + graceMs;
  let left = survivors();
  while (left.length > 0 && performance.now() < end) {
    await sleep(50);
    left = survivors();
  }
  rmSync(folder, { recursive: true, force: true });
  if (left.length === 0) return;
  // An error thrown here would only be printed.
  process.exitCode = 1;
  process.stderr.write(`\nLeft behind by the test run:\n${left.join('\n')}\n`);
}

function survivors(): string[] {
  const labs = readdirSync(folder).filter((name) => name.startsWith('vipsql-lab'));
  return [...processes(), ...labs.map((name) => join(folder, name))];
}

/** Processes of this run but its own workers, which are vitest's to end. Empty where there is no `/proc`. */
function processes(): string[] {
  return pids().flatMap((pid) => {
    const [environment, status] = [read(pid, 'environ'), read(pid, 'stat')];
    if (!environment.includes(`\0TMPDIR=${folder}`)) return [];
    const [state, parent] = status.slice(status.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || Number(parent) === process.pid) return [];
    return [`${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ')}`];
  });
}

function pids(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** Empty for a process that has ended meanwhile or belongs to somebody else. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
