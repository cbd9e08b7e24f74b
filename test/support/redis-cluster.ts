import type { RedisClusterOptions } from '../../src/index.ts';
import { eventually } from './eventually.ts';
import { inMemory, type RedisServer, RedisServers } from './redis-servers.ts';

const lastSlot = 16_383;

/** A Redis Cluster of three masters with a replica each. */
export class RedisCluster {
  readonly #servers: RedisServers;
  /** Some of them are masters at present. */
  readonly nodes: readonly RedisServer[];

  private constructor(servers: RedisServers, nodes: readonly RedisServer[]) {
    this.#servers = servers;
    this.nodes = nodes;
  }

  static async start(): Promise<RedisCluster> {
    const servers = await RedisServers.create();
    try {
      const nodes = await Promise.all(
        Array.from({ length: 6 }, () =>
          servers.start((port) => [
            ...inMemory(port),
            ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'],
            ...['--repl-diskless-sync-delay', '0'],
          ]),
        ),
      );
      const cluster = new RedisCluster(servers, nodes);
      await cluster.#form();
      return cluster;
    } catch (error) {
      await servers.stop();
      throw error;
    }
  }

  /** For `cache.redis`. */
  get target(): RedisClusterOptions {
    return { nodes: this.nodes.map(({ host, port }) => ({ host, port })) };
  }

  /** The masters that the node knows of; of those that live, the first is asked when none is named. */
  async masters(asked: RedisServer = this.#alive()): Promise<readonly RedisServer[]> {
    const ports = (await rangesOf(asked)).map(([, , [, port]]) => port);
    return [...new Set(ports)].map((port) => this.#at(port));
  }

  /** The master of a key. */
  async masterOf(key: string): Promise<RedisServer> {
    const slot = await this.slotOf(key);
    const ranges = await rangesOf(this.#alive());
    return this.#at(ranges.find(([first, last]) => first <= slot && slot <= last)?.[2][1]);
  }

  async slotOf(key: string): Promise<number> {
    return Number(await this.#alive().ask('CLUSTER', 'KEYSLOT', key));
  }

  /** Waits until a replica has taken the place of a master that does not answer. */
  async awaitPromotion(old: RedisServer): Promise<void> {
    await eventually('a replica is promoted', () => this.#isReplaced(old).catch(() => false), 30_000);
  }

  /** Moves the slot of a key to another master, and calls `meanwhile` when its keys have moved and it has not. */
  async moveSlotOf(key: string, to: RedisServer, meanwhile: () => Promise<void>): Promise<void> {
    const [masters, slot, owner] = [await this.masters(), await this.slotOf(key), await this.masterOf(key)];
    const [fromId, toId] = [await idOf(owner), await idOf(to)];
    await to.ask('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await owner.ask('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    const keys = (await owner.ask('CLUSTER', 'GETKEYSINSLOT', slot, 10_000)) as readonly string[];
    for (const each of keys) await owner.ask('MIGRATE', to.host, to.port, each, 0, 5_000);
    await meanwhile();
    for (const master of [to, owner, ...masters]) await master.ask('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
  }

  /** Waits until every node is up and agrees with the others. */
  async settle(): Promise<void> {
    await eventually('the cluster is well', () => this.#isWell(this.nodes).catch(() => false), 30_000);
  }

  async stop(): Promise<void> {
    await this.#servers.stop();
  }

  #alive(): RedisServer {
    return this.#found(({ process }) => process.state === 'alive');
  }

  #at(port: number | undefined): RedisServer {
    return this.#found((node) => node.port === port);
  }

  #found(isWanted: (node: RedisServer) => boolean): RedisServer {
    const found = this.nodes.find(isWanted);
    if (found === undefined) throw new Error('the Redis Cluster has no such node');
    return found;
  }

  async #isReplaced(old: RedisServer): Promise<boolean> {
    const others = this.nodes.filter((node) => node !== old && node.process.state === 'alive');
    const views = await Promise.all(others.map((node) => this.masters(node)));
    if (views.some((masters) => masters.length !== 3 || masters.includes(old))) return false;
    return await this.#isWell(others);
  }

  async #form(): Promise<void> {
    const [first, ...others] = this.nodes as readonly [RedisServer, ...RedisServer[]];
    const masters = this.nodes.slice(0, 3);
    const share = Math.ceil((lastSlot + 1) / 3);
    for (const [index, master] of masters.entries()) {
      const end = Math.min(lastSlot, (index + 1) * share - 1);
      await master.ask('CLUSTER', 'ADDSLOTSRANGE', index * share, end);
      await master.ask('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    }
    for (const other of others) await first.ask('CLUSTER', 'MEET', other.host, other.port);
    const isMet = async (): Promise<boolean> => {
      const infos = await Promise.all(this.nodes.map((node) => node.ask('CLUSTER', 'INFO')));
      return infos.every((info) => String(info).includes('cluster_known_nodes:6'));
    };
    await eventually('all have met', isMet, 30_000);
    for (const [index, replica] of this.nodes.slice(3).entries()) {
      const masterId = await idOf(masters[index] as RedisServer);
      const follow = async (): Promise<boolean> =>
        await replica.ask('CLUSTER', 'REPLICATE', masterId).then(
          () => true,
          () => false,
        );
      await eventually('the replica knows its master', follow);
    }
    await this.settle();
  }

  /** Every slot is served, everybody knows it, and every replica follows. */
  async #isWell(nodes: readonly RedisServer[]): Promise<boolean> {
    for (const node of nodes) {
      if (!String(await node.ask('CLUSTER', 'INFO')).includes('cluster_state:ok')) return false;
      const replication = String(await node.ask('INFO', 'replication'));
      if (replication.includes('master_link_status:down')) return false;
    }
    return true;
  }
}

type Range = readonly [first: number, last: number, master: readonly [host: string, port: number]];

async function rangesOf(asked: RedisServer): Promise<readonly Range[]> {
  return (await asked.ask('CLUSTER', 'SLOTS')) as readonly Range[];
}

async function idOf(server: RedisServer): Promise<string> {
  return String(await server.ask('CLUSTER', 'MYID'));
}
