import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A balanced address as LVS or HAProxy make one: hands each new connection to the next of several servers. */
export class RoundRobinRelay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #targets: readonly { readonly host: string; readonly port: number }[];
  #next = 0;

  private constructor(targets: RoundRobinRelay['targets']) {
    this.#targets = targets;
    this.#server = createServer((client) => this.#join(client));
  }

  static async start(targets: RoundRobinRelay['targets']): Promise<RoundRobinRelay> {
    const relay = new RoundRobinRelay(targets);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get targets(): readonly { readonly host: string; readonly port: number }[] {
    return this.#targets;
  }

  set targets(targets: readonly { readonly host: string; readonly port: number }[]) {
    this.#targets = targets;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const target = this.#targets[this.#next % this.#targets.length];
    this.#next += 1;
    if (target === undefined) {
      client.destroy();
      return;
    }
    const server = connect(target.port, target.host);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
