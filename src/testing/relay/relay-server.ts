import type { Server } from 'node:net';
import { createServer } from 'node:net';
import type { LabAddress } from '../lab.ts';
import { BlackHole } from './black-hole.ts';
import type { Door, RelayCommand } from './relay-command.ts';
import { RelayedConnection } from './relayed-connection.ts';

/** Stands at the VIP's address and passes connections to whoever holds it. */
export class RelayServer {
  readonly #address: LabAddress;
  readonly #connections = new Set<RelayedConnection>();
  #door: Door = { kind: 'refuse' };
  #listener: Server | undefined;
  #hole: BlackHole | undefined;
  #nextHole = new BlackHole();

  constructor(address: LabAddress) {
    this.#address = address;
  }

  async run({ connections, door }: RelayCommand): Promise<void> {
    // Before anything waits: a connection accepted in between would reach the old target and survive.
    if (door !== undefined) this.#door = door;
    if (connections !== undefined) for (const connection of this.#connections) connection[connections]();
    if (door !== undefined) await this.#openDoor(door);
  }

  /** One listener is closed before the other opens: for about a millisecond in between, connects are refused. */
  async #openDoor(door: Door): Promise<void> {
    if (door.kind === 'silent') await this.#nextHole.prepare();
    if (door.kind !== 'forward') this.#closeListener();
    if (door.kind !== 'silent') await this.#closeHole();
    if (door.kind === 'forward') await this.#openListener();
    if (door.kind === 'silent') await this.#openHole();
  }

  async #openHole(): Promise<void> {
    if (this.#hole !== undefined) return;
    this.#hole = this.#nextHole;
    this.#nextHole = new BlackHole();
    await this.#hole.open(this.#address);
  }

  async #openListener(): Promise<void> {
    if (this.#listener !== undefined) return;
    const listener = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (client) => {
      if (this.#door.kind !== 'forward') {
        client.resetAndDestroy();
        return;
      }
      const connection = new RelayedConnection(client, this.#door.target, () => {
        this.#connections.delete(connection);
      });
      this.#connections.add(connection);
    });
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen({ ...this.#address, backlog: 4096 }, resolve);
    });
    this.#listener = listener;
  }

  #closeListener(): void {
    // Its callback would wait for the connections, which stay.
    this.#listener?.close();
    this.#listener = undefined;
  }

  async #closeHole(): Promise<void> {
    await this.#hole?.close();
    this.#hole = undefined;
  }
}
