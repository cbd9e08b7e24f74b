import { mkdir, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { RedisBinary } from './binaries/server-binary.ts';
import type { LabAddress } from './lab.ts';
import type { Keeper } from './processes/keeper.ts';
import { LabProcess } from './processes/lab-process.ts';
import { waitUntil } from './wait-until.ts';

const startTimeoutMs = 10_000;

/** Where a Redis is to run. */
export interface RedisPlace {
  readonly address: LabAddress;
  readonly folder: string;
  readonly keeper: Keeper;
}

/** A Redis that keeps nothing on disk. */
export class LabRedis {
  readonly address: LabAddress;
  readonly process: LabProcess;

  private constructor(address: LabAddress, process: LabProcess) {
    this.address = address;
    this.process = process;
  }

  static async create(binary: RedisBinary, { address, folder, keeper }: RedisPlace): Promise<LabRedis> {
    const ownFolder = join(folder, 'redis');
    await mkdir(ownFolder);
    const args = ['--bind', address.host, '--port', String(address.port), '--save', '', '--appendonly', 'no'];
    const spec = {
      name: 'Redis',
      command: await nameOf(binary, ownFolder),
      args,
      env: binary.env,
      folder: ownFolder,
      logFile: join(ownFolder, 'error.log'),
    };
    return new LabRedis(address, new LabProcess(spec, keeper));
  }

  /** Starts Redis and waits until it answers. */
  async start(): Promise<void> {
    this.process.start();
    const isUp = async (): Promise<boolean> => this.process.state === 'dead' || (await pings(this.address));
    await waitUntil(isUp, startTimeoutMs, 5);
    if (this.process.state === 'dead') throw this.process.failure('ended while starting');
    if (!(await pings(this.address)))
      throw this.process.failure(`did not answer within ${startTimeoutMs} ms`);
  }
}

async function nameOf({ command, callAs }: RedisBinary, folder: string): Promise<string> {
  if (callAs === undefined) return command;
  const link = join(folder, callAs);
  await symlink(command, link);
  return link;
}

/** Whether a Redis answers there. */
export function pings(address: LabAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address, () => socket.write('PING\r\n'));
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => resolve(false));
    socket.once('data', (chunk) => finish(chunk.toString().startsWith('+PONG')));
  });
}
