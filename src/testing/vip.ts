import type { LabNode } from './lab-node.ts';
import type { Relay } from './relay/relay.ts';
import type { Door, OnConnections } from './relay/relay-command.ts';

/** The stand-in for keepalived's address: who holds it and whether anybody answers there. */
export class Vip {
  readonly #relay: Relay;
  #owner: LabNode;
  #closed: 'silent' | 'refuse' | undefined;

  constructor(relay: Relay, owner: LabNode) {
    this.#relay = relay;
    this.#owner = owner;
  }

  get owner(): LabNode {
    return this.#owner;
  }

  /** Nobody answers (`silent`), or connects are refused, until the VIP opens or moves. */
  async close(how: 'silent' | 'refuse', connections: OnConnections): Promise<void> {
    this.#closed = how;
    await this.#relay.run({ door: this.#door(), connections });
  }

  async open(connections: OnConnections): Promise<void> {
    this.#closed = undefined;
    await this.#relay.run({ door: this.#door(), connections });
  }

  async moveTo(owner: LabNode, oldConnections: OnConnections): Promise<void> {
    this.#owner = owner;
    await this.open(oldConnections);
  }

  /** To be called when the holder has died or started. */
  async refresh(): Promise<void> {
    await this.#relay.run({ door: this.#door() });
  }

  /** Closes what a move or reset has left half open. */
  async forgetOldConnections(): Promise<void> {
    await this.#relay.run({ connections: 'forget' });
  }

  #door(): Door {
    if (this.#closed !== undefined) return { kind: this.#closed };
    // The relay would accept on behalf of a dead server, whose own host would refuse.
    if (this.#owner.process.state === 'dead') return { kind: 'refuse' };
    return { kind: 'forward', target: { host: this.#owner.host, port: this.#owner.port } };
  }
}
