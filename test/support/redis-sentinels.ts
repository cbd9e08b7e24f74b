import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RedisOptions } from '../../src/index.ts';
import { eventually } from './eventually.ts';
import { inMemory, type RedisServer, RedisServers } from './redis-servers.ts';

/** A Redis, a replica of it, and three Sentinels, of which two have to agree. */
export class RedisSentinels {
  readonly #servers: RedisServers;
  readonly #data: readonly [RedisServer, RedisServer];
  readonly #sentinels: readonly RedisServer[];

  private constructor(
    servers: RedisServers,
    data: readonly [RedisServer, RedisServer],
    sentinels: readonly RedisServer[],
  ) {
    this.#servers = servers;
    this.#data = data;
    this.#sentinels = sentinels;
  }

  static async start(): Promise<RedisSentinels> {
    const servers = await RedisServers.create();
    try {
      const master = await servers.start(inMemory);
      const replica = await servers.start((port) => [
        ...inMemory(port),
        '--replicaof',
        master.host,
        String(master.port),
      ]);
      const sentinels = await Promise.all(
        [1, 2, 3].map(() =>
          servers.start(async (port, folder) => {
            const config = join(folder, 'sentinel.conf');
            await writeFile(config, configuration(port, folder, master));
            return [config, '--sentinel'];
          }),
        ),
      );
      const setup = new RedisSentinels(servers, [master, replica], sentinels);
      await setup.#settle();
      return setup;
    } catch (error) {
      await servers.stop();
      throw error;
    }
  }

  /** For `cache.redis`. */
  get target(): RedisOptions {
    return { sentinels: this.#sentinels.map(({ host, port }) => ({ host, port })), name: 'main' };
  }

  /** The one that the Sentinels name. */
  async master(): Promise<RedisServer> {
    const [, port] = (await this.#askSentinel('get-master-addr-by-name')) as readonly [string, string];
    const found = this.#data.find((server) => server.port === Number(port));
    if (found === undefined) throw new Error(`the Sentinels name ${port}`);
    return found;
  }

  async replica(): Promise<RedisServer> {
    const { port } = await this.master();
    return this.#data.find((server) => server.port !== port) as RedisServer;
  }

  /** Lets the replica be promoted: by plan, or because the master is killed, which then comes back as its replica. */
  async failOver(how: 'plan' | 'kill'): Promise<void> {
    await this.rejoin(await this.promote(how));
  }

  /** Resolves to the old master as soon as another one is named: by plan, it answers as before for some seconds. */
  async promote(how: 'plan' | 'kill'): Promise<RedisServer> {
    const old = await this.master();
    if (how === 'kill') await old.process.kill();
    // Refused for a while after the last one.
    else await eventually('the Sentinels obey', () => this.#tryFailOver(), 30_000);
    // A Sentinel that was held up for two seconds does nothing for thirty (TILT).
    await eventually('another one is named', async () => (await this.master()).port !== old.port, 90_000);
    return old;
  }

  /** Makes the old master a replica, as Sentinels do in the end, and waits until it is one. */
  async rejoin(old: RedisServer): Promise<void> {
    await old.start();
    const { host, port } = await this.master();
    await old.ask('REPLICAOF', host, port);
    await this.#settle();
  }

  /** One of them, which is not the one that is asked here. */
  get oneSentinel(): RedisServer {
    return this.#sentinels[2] as RedisServer;
  }

  async stop(): Promise<void> {
    await this.#servers.stop();
  }

  async #tryFailOver(): Promise<boolean> {
    return await this.#askSentinel('failover').then(
      () => true,
      () => false,
    );
  }

  async #settle(): Promise<void> {
    // What has just been started or promoted refuses now and then.
    await eventually('the Sentinels are agreed', () => this.#isSettled().catch(() => false), 30_000);
  }

  /** Every Sentinel knows the others, and the replica follows. */
  async #isSettled(): Promise<boolean> {
    const replication = String(await (await this.replica()).ask('INFO', 'replication'));
    if (!replication.includes('master_link_status:up')) return false;
    const quorums = this.#sentinels.map((sentinel) => sentinel.ask('SENTINEL', 'ckquorum', 'main'));
    return (await Promise.all(quorums)).every((told) => String(told).startsWith('OK 3'));
  }

  async #askSentinel(command: string): Promise<unknown> {
    return await this.#sentinels[0]?.ask('SENTINEL', command, 'main');
  }
}

function configuration(port: number, folder: string, master: RedisServer): string {
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor main ${master.host} ${master.port} 2`,
    'sentinel down-after-milliseconds main 500',
    'sentinel failover-timeout main 3000',
  ];
  return `${lines.join('\n')}\n`;
}
