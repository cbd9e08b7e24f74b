import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findRedis } from '../../src/testing/binaries/find-binaries.ts';
import { Keeper } from '../../src/testing/processes/keeper.ts';
import { LabProcess } from '../../src/testing/processes/lab-process.ts';
import { eventually } from './eventually.ts';
import { freePort, isListening } from './ports.ts';

const program = await findRedis();

/** Whether there is a program to run; the lab fetches one where it is missing. */
export const hasRedis = program !== undefined;

/** A Redis program that can be killed and started again at the same port. */
export class RedisServer {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly folder: string;
  readonly process: LabProcess;

  constructor(port: number, folder: string, process: LabProcess) {
    this.port = port;
    this.folder = folder;
    this.process = process;
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`;
  }

  async start(): Promise<void> {
    this.process.start();
    await eventually(`a Redis at ${this.port}`, () => isListening(this.port));
  }

  /** Sends one command on a connection of its own. */
  async ask(command: string, ...args: readonly (string | number)[]): Promise<unknown> {
    const client = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => {});
    try {
      await client.connect();
      return await client.call(command, ...args.map(String));
    } finally {
      client.disconnect();
    }
  }
}

/** Redis programs that run side by side, for one test; they do not outlive this process. */
export class RedisServers {
  readonly #folder: string;
  readonly #keeper = new Keeper();
  readonly #command: string;

  private constructor(folder: string, command: string) {
    this.#folder = folder;
    this.#command = command;
    this.#keeper.removeAtEnd(folder);
  }

  static async create(): Promise<RedisServers> {
    if (program === undefined) throw new Error('there is no redis-server');
    const folder = await mkdtemp(join(tmpdir(), 'vipsql-lab-redis-'));
    const { command, callAs } = program;
    if (callAs === undefined) return new RedisServers(folder, command);
    const link = join(folder, callAs);
    await symlink(command, link);
    return new RedisServers(folder, link);
  }

  /** One that answers; `args` may be made from its port and its folder. */
  async start(
    args: (port: number, folder: string) => readonly string[] | Promise<readonly string[]>,
  ): Promise<RedisServer> {
    const port = await freePort();
    const folder = join(this.#folder, String(port));
    await mkdir(folder);
    const process = new LabProcess(
      {
        name: `Redis at ${port}`,
        command: this.#command,
        args: await args(port, folder),
        env: program?.env,
        folder,
        logFile: join(folder, 'error.log'),
      },
      this.#keeper,
    );
    const server = new RedisServer(port, folder, process);
    await server.start();
    return server;
  }

  async stop(): Promise<void> {
    await this.#keeper.finish();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** What a Redis is told that keeps nothing on disk. */
export function inMemory(port: number): readonly string[] {
  return ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'];
}
