import { fork } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClosedError, createCluster, VipsqlError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, rejection, sleep } from '../../support/cluster.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ replicas: 2, redis: false });
});

afterAll(() => lab.stop());

const sessions = async (): Promise<number> => {
  const servers = [lab.owner(), ...lab.replicas];
  const counts = await Promise.all(
    servers.map((server) =>
      server.query('SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = ?', [lab.user]),
    ),
  );
  return counts.reduce((sum, [row]) => sum + Number(row?.n), 0);
};

/** Handles of this process that would keep it alive. */
const activeHandles = (): string[] =>
  process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|Pipe/.test(name));

describe('close', () => {
  test('lets running work end, refuses new work, and leaves no session behind', async () => {
    const db = createCluster(lab.config());
    await db.ready();
    const running = db.primary().value('SELECT 5 + SLEEP(0.3)');
    await sleep(50);
    const closed = db.close();
    expect(await rejection(db.primary().query('SELECT 1'))).toBeInstanceOf(ClosedError);
    expect(await rejection(db.replica().query('SELECT 1'))).toBeInstanceOf(ClosedError);
    expect(await running).toBe(5);
    await closed;
    await eventually('no session on any server', async () => (await sessions()) === 0);
    expect(await rejection(db.ready())).toBeInstanceOf(ClosedError);
  });

  test('ends what does not end by itself, with a typed error', async () => {
    const db = createCluster(lab.config());
    await db.ready();
    const sleeper = rejection(db.primary().query('SELECT SLEEP(30)'));
    await sleep(100);
    const began = performance.now();
    await db.close({ timeoutMs: 100 });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(await sleeper).toBeInstanceOf(VipsqlError);
    expect(await sleeper).toMatchObject({ outcome: 'unknown' });
  });

  test('works while nothing answers, and twice', async () => {
    await lab.fault({ kind: 'black-hole' });
    const db = createCluster(lab.config());
    const waiting = rejection(db.primary().query('SELECT 1'));
    await sleep(100);
    await Promise.all([db.close({ timeoutMs: 50 }), db.close()]);
    expect(await waiting).toBeInstanceOf(VipsqlError);
    await lab.fault({ kind: 'answer' });
  });

  test('comes with await using', async () => {
    {
      await using db = createCluster(lab.config());
      await db.ready();
    }
    await eventually('no session on any server', async () => (await sessions()) === 0);
  });

  test('leaves no socket and no timer in this process', async () => {
    await eventually('the test runner at rest', () => true);
    const before = activeHandles();
    const db = createCluster(lab.config());
    await db.ready();
    await Promise.all(Array.from({ length: 20 }, () => db.replica().query('SELECT SLEEP(0.01)')));
    await db.transaction((tx) => tx.query('SELECT 1'));
    await db.close();
    await eventually('as few handles as before', () => activeHandles().length <= before.length, 2_000);
  });

  test('lets the process end by itself', async () => {
    const script = new URL('./fixtures/use-and-close.ts', import.meta.url);
    const child = fork(script, [JSON.stringify(lab.config())], {
      execArgv: ['--import', 'tsx'],
      stdio: 'pipe',
    });
    const output: string[] = [];
    child.stdout?.on('data', (data: Buffer) => output.push(data.toString()));
    child.stderr?.on('data', (data: Buffer) => output.push(data.toString()));
    const [code] = await once(child, 'exit');
    expect(output.join('')).toMatch(/^closed after \d+ ms\n$/);
    expect(code).toBe(0);
  });
});
