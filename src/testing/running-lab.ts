import { clusterConfig } from './cluster-config.ts';
import { inflict, masterOf, nodeOf } from './faults.ts';
import { healAll } from './heal.ts';
import type { Lab, LabAccount, LabAddress, LabClusterConfig, LabServer, LabVendor } from './lab.ts';
import type { LabFault, MasterName, ServerName } from './lab-fault.ts';
import type { LabParts } from './lab-parts.ts';
import { allNodes } from './lab-parts.ts';
import type { Relay } from './relay/relay.ts';
import { Turns } from './turns.ts';

/** What a started lab is made of. */
export interface RunningLabParts {
  readonly parts: LabParts;
  readonly version: string;
  readonly relay: Relay;
}

/** A lab that has been started. */
export class RunningLab implements Lab {
  readonly vendor: LabVendor;
  readonly version: string;
  readonly vip: LabAddress;
  readonly masters: readonly [LabServer, LabServer];
  readonly replicas: readonly LabServer[];
  readonly redisUrl?: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly admin: LabAccount;
  readonly #parts: LabParts;
  readonly #relay: Relay;
  readonly #turns = new Turns();
  #stopping: Promise<void> | undefined;

  constructor({ parts, version, relay }: RunningLabParts) {
    this.vendor = parts.vendor.name;
    this.version = version;
    this.vip = parts.vipAddress;
    this.masters = parts.masters;
    this.replicas = parts.replicas;
    if (parts.redis !== undefined) {
      const { host, port } = parts.redis.address;
      this.redisUrl = `redis://${host}:${port}`;
    }
    this.user = parts.accounts.application.user;
    this.password = parts.accounts.application.password;
    this.database = parts.accounts.database;
    this.admin = parts.accounts.admin;
    this.#parts = parts;
    this.#relay = relay;
  }

  config(): LabClusterConfig {
    return clusterConfig(this);
  }

  owner(): LabServer {
    return this.#parts.vip.owner;
  }

  server(name: ServerName): LabServer {
    return nodeOf(this.#parts, name);
  }

  master(name: MasterName): LabServer {
    return masterOf(this.#parts, name);
  }

  fault(fault: LabFault): Promise<void> {
    return this.#turns.take(() => inflict(this.#parts, fault));
  }

  heal(): Promise<void> {
    return this.#turns.take(() => healAll(this.#parts));
  }

  stop(): Promise<void> {
    this.#turns.end();
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #end(): Promise<void> {
    const nodes = allNodes(this.#parts);
    await Promise.all(nodes.map((node) => node.closeSessions()));
    await Promise.all([
      ...nodes.map((node) => node.process.kill()),
      this.#parts.redis?.process.kill(),
      this.#relay.kill(),
    ]);
    await this.#parts.keeper.finish();
  }
}
