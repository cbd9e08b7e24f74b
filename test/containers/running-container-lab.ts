import { accounts } from '../../src/testing/accounts.ts';
import { clusterConfig } from '../../src/testing/cluster-config.ts';
import type {
  LabAccount,
  LabAddress,
  LabClusterConfig,
  LabServer,
  LabVendor,
  MasterName,
  ServerName,
} from '../../src/testing/index.ts';
import { Turns } from '../../src/testing/turns.ts';
import type { ContainerFault } from './container-fault.ts';
import { inflict } from './container-faults.ts';
import { healAll } from './container-heal.ts';
import type { ContainerLab } from './container-lab.ts';
import type { ContainerLabParts } from './container-lab-parts.ts';
import { allNodes, masterOf, nodeOf } from './container-lab-parts.ts';
import { startProber } from './start-prober.ts';
import { reachedMaster, vipHolders, waitForOwner } from './vip-owner.ts';
import type { VipProber } from './vip-prober.ts';

/** A container lab that has been started. */
export class RunningContainerLab implements ContainerLab {
  readonly vendor: LabVendor;
  readonly version: string;
  readonly vip: LabAddress;
  readonly masters: readonly [LabServer, LabServer];
  readonly replicas: readonly LabServer[];
  readonly redisUrl?: string;
  readonly user = accounts.application.user;
  readonly password = accounts.application.password;
  readonly database = accounts.database;
  readonly admin: LabAccount = accounts.admin;
  readonly #parts: ContainerLabParts;
  readonly #end: () => Promise<void>;
  readonly #probers = new Set<VipProber>();
  #lastOwner: LabServer;
  readonly #turns = new Turns();
  #stopping: Promise<void> | undefined;

  constructor(
    parts: ContainerLabParts,
    rest: { readonly version: string; readonly end: () => Promise<void> },
  ) {
    const [a, b] = parts.masters;
    this.vendor = parts.vendor.name;
    this.version = rest.version;
    this.vip = { host: parts.network.vip, port: a.node.port };
    this.masters = [a.node, b.node];
    this.replicas = parts.replicas;
    if (parts.redis !== undefined) {
      const { host, port } = parts.redis.address;
      this.redisUrl = `redis://${host}:${port}`;
    }
    this.#parts = parts;
    this.#end = rest.end;
    this.#lastOwner = a.node;
  }

  config(): LabClusterConfig {
    return clusterConfig(this);
  }

  owner(): LabServer {
    this.#lastOwner = reachedMaster(this.#parts)?.node ?? this.#lastOwner;
    return this.#lastOwner;
  }

  server(name: ServerName): LabServer {
    return nodeOf(this.#parts, name);
  }

  master(name: MasterName): LabServer {
    return masterOf(this.#parts, name).node;
  }

  holders(): Promise<MasterName[]> {
    return vipHolders(this.#parts);
  }

  async waitForOwner(name?: MasterName, timeoutMs = 15_000): Promise<LabServer> {
    return (await waitForOwner(this.#parts, name, timeoutMs)).node;
  }

  fault(fault: ContainerFault): Promise<void> {
    return this.#turns.take(() => inflict(this.#parts, fault));
  }

  heal(): Promise<void> {
    return this.#turns.take(() => healAll(this.#parts));
  }

  async startProber(): Promise<VipProber> {
    const prober = await startProber(this.vip, this.#parts.network.proberAddresses);
    this.#probers.add(prober);
    return prober;
  }

  keepalivedLog(name: MasterName): Promise<string> {
    return masterOf(this.#parts, name).keepalived.log();
  }

  stop(): Promise<void> {
    this.#turns.end();
    this.#stopping ??= this.#finish();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #finish(): Promise<void> {
    await Promise.all([...this.#probers].map((prober) => prober.stop()));
    await Promise.all(allNodes(this.#parts).map((node) => node.closeSessions()));
    await this.#end();
  }
}
