import type { StartedTestContainer } from 'testcontainers';
import type { LabAddress } from '../../src/testing/index.ts';
import { LabError } from '../../src/testing/lab-error.ts';
import { pings } from '../../src/testing/redis.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { ContainerProgram } from './container-program.ts';

const startTimeoutMs = 10_000;
const options = ['--bind', '0.0.0.0', '--protected-mode', 'no', '--save', '', '--appendonly', 'no'];

/** A Redis in a container of its own, which keeps nothing on disk. */
export class ContainerRedis {
  readonly address: LabAddress;
  readonly program: ContainerProgram;

  constructor(container: StartedTestContainer, host: string) {
    this.address = { host, port: 6379 };
    this.program = new ContainerProgram(container, 'redis', ['redis-server', ...options]);
  }

  /** Starts Redis and waits until it answers. */
  async start(): Promise<void> {
    await this.program.start();
    if (await waitUntil(() => pings(this.address), startTimeoutMs)) return;
    throw new LabError(`Redis did not answer within ${startTimeoutMs} ms`);
  }
}
