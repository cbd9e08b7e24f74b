import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../src/testing/binaries/find-program.ts';
import { Keeper } from '../../src/testing/processes/keeper.ts';
import { LabProcess } from '../../src/testing/processes/lab-process.ts';
import { eventually, sleep } from './eventually.ts';
import { freePort, isListening } from './ports.ts';

const program = await findProgram('memcached');

/** Whether there is a memcached to run; `.ci/run` installs it. */
export const hasMemcached = program !== undefined;

/** A memcached program that can be killed, frozen and started again at the same port; it does not outlive this process. */
export class MemcachedServer {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly process: LabProcess;
  readonly folder: string;
  readonly #keeper: Keeper;

  private constructor(port: number, process: LabProcess, folder: string, keeper: Keeper) {
    this.port = port;
    this.process = process;
    this.folder = folder;
    this.#keeper = keeper;
  }

  /** One that answers; `args` besides those that say where. */
  static async start(args: readonly string[] = []): Promise<MemcachedServer> {
    if (program === undefined) throw new Error('there is no memcached: apt-get install memcached');
    const [port, folder] = [await freePort(), await mkdtemp(join(tmpdir(), 'vipsql-lab-memcached-'))];
    const keeper = new Keeper();
    keeper.removeAtEnd(folder);
    const where = ['-l', '127.0.0.1', '-p', String(port), '-U', '0'];
    const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
    const spec = {
      name: `memcached at ${port}`,
      command: program,
      args: [...where, ...user, ...args.map((arg) => arg.replace('{folder}', folder))],
      folder,
      logFile: join(folder, 'error.log'),
    };
    const server = new MemcachedServer(port, new LabProcess(spec, keeper), folder, keeper);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** For `cache.memcached`. */
  get target(): { readonly host: string; readonly port: number } {
    return { host: this.host, port: this.port };
  }

  async start(): Promise<void> {
    this.process.start();
    await eventually(`a memcached at ${this.port}`, () => isListening(this.port));
  }

  /** Kills it and starts it again, empty. */
  async restart(): Promise<void> {
    await this.process.kill();
    await this.start();
  }

  /** Ends it as planned, and starts it again with what it had: `args` must have named a file with `-e`. */
  async warmRestart(): Promise<void> {
    const { pid } = this.process;
    if (pid === undefined) throw new Error('memcached does not run');
    process.kill(pid, 'SIGUSR1');
    await eventually('memcached has ended', () => this.process.state === 'dead');
    // It begins empty where its clock has not gone on meanwhile.
    await sleep(1_100);
    await this.start();
  }

  /** Sends text on a connection of its own; resolves to what it answers until it says one of `ends` in a line. */
  async ask(text: string, ends = /^(END|OK|HD|EN|STORED|NF|MN|ERROR)\b.*\r\n$/m): Promise<string> {
    const socket = connect(this.port, this.host);
    let told = '';
    socket.on('data', (piece) => (told += piece.toString('latin1')));
    socket.write(text, 'latin1');
    try {
      await eventually(`an answer of memcached to ${text}`, () => ends.test(told));
      return told;
    } finally {
      socket.destroy();
      await once(socket, 'close');
    }
  }

  /** One of its `stats`. */
  async stat(name: string): Promise<number> {
    return Number(new RegExp(`STAT ${name} (\\d+)`).exec(await this.ask('stats\r\n'))?.[1]);
  }

  async stop(): Promise<void> {
    await this.#keeper.finish();
    await rm(this.folder, { recursive: true, force: true });
  }
}
