import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openServing } from '../../support/cluster.ts';
import { Products } from './products.ts';

const program = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'redis-server'))
  .find((path) => existsSync(path));

/** The lab's Redis as master, a replica of it, and a Sentinel that promotes that. */
class SentinelSetup {
  readonly sentinelPort: number;
  readonly replicaPort: number;
  readonly #folder: string;
  readonly #processes: readonly ChildProcess[];

  private constructor(folder: string, ports: readonly [number, number], processes: readonly ChildProcess[]) {
    this.#folder = folder;
    [this.replicaPort, this.sentinelPort] = ports;
    this.#processes = processes;
  }

  static async start(masterUrl: string): Promise<SentinelSetup> {
    const { hostname, port } = new URL(masterUrl);
    const folder = await mkdtemp(join(tmpdir(), 'vipsql-sentinel-'));
    const ports = [await freePort(), await freePort()] as const;
    const config = join(folder, 'sentinel.conf');
    const lines = [
      `port ${ports[1]}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor main ${hostname} ${port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 3000',
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    const replica = ['--bind', '127.0.0.1', '--port', String(ports[0]), '--save', '', '--dir', folder];
    const start = (args: readonly string[]): ChildProcess =>
      spawn(program ?? '', [...args], { stdio: 'ignore' });
    const processes = [start([...replica, '--replicaof', hostname, port]), start([config, '--sentinel'])];
    return new SentinelSetup(folder, ports, processes);
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#processes.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }),
    );
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  return port;
}

describe.skipIf(program === undefined)('a Redis that Sentinel watches', () => {
  let lab: Lab;
  let products: Products;
  let setup: SentinelSetup;

  beforeAll(async () => {
    lab = await startLab({ replicas: 1, redis: true });
    products = await Products.create(lab);
    setup = await SentinelSetup.start(lab.redisUrl ?? '');
  });
  afterAll(async () => {
    await setup?.stop();
    await lab?.stop();
  });

  const isReady = (db: Cluster): boolean => db.status().cache?.state === 'ready';

  test('is followed to the one that is promoted, where nothing of before is served', async () => {
    const replica = new Redis(setup.replicaPort, '127.0.0.1');
    replica.on('error', () => {});
    try {
      await eventually('the replica follows', async () =>
        (await replica.info('replication').catch(() => '')).includes('master_link_status:up'),
      );
      const redis = { sentinels: [{ host: '127.0.0.1', port: setup.sentinelPort }], name: 'main' };
      const db = await openServing(lab, { cache: { redis, ttlMs: 600_000 } });
      await eventually('the cache is ready', () => isReady(db));
      const id = await products.add();
      await products.read(db, id);
      await eventually('it is stored, on the replica too', async () => {
        const stored = await replica.getBuffer(`vipsql:main:e:${products.keyOf(id)}`);
        return (stored?.length ?? 0) > 100;
      });
      await products.write(db, id, 2);
      await lab.fault({ kind: 'kill', server: 'redis' });
      await eventually('its end is noticed', () => !isReady(db));
      expect(await products.read(db, id)).toBe(2);
      await eventually('the replica is promoted, and used', () => isReady(db), 20_000);
      expect(await products.read(db, id)).toBe(2);
      expect(db.status().cache?.hits).toBe(0);
      await eventually('it is stored', () => db.status().cache?.fills === 2);
      expect(await products.read(db, id)).toBe(2);
      expect(db.status().cache?.hits).toBe(1);
    } finally {
      replica.disconnect();
    }
  });
});
