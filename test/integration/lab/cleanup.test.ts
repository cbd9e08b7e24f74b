import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('hold-lab.mjs', import.meta.url));
const source = new URL('../../../src/testing/index.ts', import.meta.url).href;

describe.each([
  { from: 'its sources', node: ['--import', 'tsx'], module: source },
  { from: 'the built package', node: [], module: 'vipsql/testing' },
])('a lab run from $from', ({ node, module }) => {
  it('leaves nothing behind when its parent is killed, a frozen server included', async () => {
    const { child, folder, processes } = await holdLab(node, module, 'hold');
    child.kill('SIGKILL');
    await expectNothingLeft(folder, processes);
  });

  it.each([150, 300, 450, 600, 800])(
    'leaves nothing behind when its parent is killed %i ms after its start',
    async (ms) => {
      const folder = await mkdtemp(join(tmpdir(), 'vipsql-cleanup-'));
      const child = spawn(process.execPath, [...node, program, module, 'hold'], {
        stdio: ['pipe', 'ignore', 'ignore'],
        env: { ...process.env, TMPDIR: folder },
      });
      await sleep(ms);
      const processes = childrenOf(Number(child.pid));
      child.kill('SIGKILL');
      await expect.poll(() => processes.filter(isAlive), { timeout: 10_000 }).toEqual([]);
      // Whatever was about to write there has ended: it stays empty.
      await sleep(200);
      const left = await readdir(folder);
      await rm(folder, { recursive: true });
      // tsx keeps its own cache there.
      expect(left.filter((name) => !name.startsWith('tsx-'))).toEqual([]);
    },
  );

  it('leaves nothing behind after Ctrl-C', async () => {
    const { child, folder, processes } = await holdLab(node, module, 'hold');
    // A terminal sends it to the whole process group.
    process.kill(-Number(child.pid), 'SIGINT');
    await expectNothingLeft(folder, processes);
  });

  it('leaves nothing behind when its parent fails', async () => {
    const { child, folder, processes } = await holdLab(node, module, 'throw');
    child.stdin?.end();
    await expectNothingLeft(folder, processes);
  });

  it('leaves nothing behind after stop, and lets its parent end by itself', async () => {
    const { child, folder, processes } = await holdLab(node, module, 'stop');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.stdin?.end();
    expect(await ended).toBe(0);
    await expectNothingLeft(folder, processes);
  });
});

interface HeldLab {
  readonly child: ChildProcess;
  readonly folder: string;
  /** The processes it started. */
  readonly processes: readonly number[];
}

async function holdLab(node: readonly string[], module: string, then: string): Promise<HeldLab> {
  const child = spawn(process.execPath, [...node, program, module, then], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the program ended with ${code} before it had a lab`)));
  });
  const { logFile } = JSON.parse(line) as { logFile: string };
  const processes = childrenOf(Number(child.pid));
  // Three servers, Redis, the relay and the keeper.
  expect(processes.length).toBeGreaterThanOrEqual(6);
  return { child, folder: dirname(dirname(logFile)), processes };
}

async function expectNothingLeft(folder: string, processes: readonly number[]): Promise<void> {
  await expect.poll(() => existsSync(folder), { timeout: 10_000, message: `${folder} is left` }).toBe(false);
  await expect.poll(() => processes.filter(isAlive), { timeout: 10_000 }).toEqual([]);
}

function childrenOf(parent: number): number[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.map(Number).filter((pid) => statusOf(pid)?.parent === parent);
}

function isAlive(pid: number): boolean {
  const state = statusOf(pid)?.state;
  return state !== undefined && state !== 'Z';
}

function statusOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
