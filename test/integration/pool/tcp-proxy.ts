import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

/**
 * What the proxy does with a new connection: pass it on, keep it without a word until {@link TcpProxy.release} or
 * {@link TcpProxy.cut}, close it after a while, or end it once the client has answered the greeting.
 */
export type ProxyManner =
  | 'forward'
  | 'hold'
  | { readonly closeAfterMs: number }
  | { readonly afterGreeting: 'close' | 'reset' };

export interface ProxyOptions {
  /** Where it listens; default 127.0.0.1. */
  readonly host?: string;
  /** Added to everything that a server says. */
  readonly delayMs?: number;
}

/** One client of the proxy. */
export class ProxiedConnection {
  readonly acceptedAt = performance.now();
  readonly client: Socket;
  /** Everything the client sent so far. */
  received: Buffer = Buffer.alloc(0);
  loggedIn = false;
  server: Socket | undefined;
  silent = false;

  constructor(client: Socket) {
    this.client = client;
  }

  get open(): boolean {
    return !this.client.destroyed;
  }

  /** Nothing is passed on any more, not even the end of either side. Whatever is sent is still acknowledged. */
  silence(): void {
    this.silent = true;
  }
}

/** A TCP proxy of the test's own, which counts what vipsql does at an address and can misbehave there. */
export class TcpProxy implements AsyncDisposable {
  manner: ProxyManner = 'forward';
  target: ProxyTarget;
  /** Every connection ever accepted. */
  readonly all: ProxiedConnection[] = [];
  /** The most logins that were in progress at once. */
  peakLogins = 0;
  /** The most connections that were open at once. */
  peakOpen = 0;
  /** Called with what a client sends before it is passed on; `false` keeps it from the server. */
  intercept: (chunk: Buffer, connection: ProxiedConnection) => boolean = () => true;
  /** How long to keep back what a client sends. */
  keepBackMs: (chunk: Buffer) => number = () => 0;
  /** What becomes of what a client sends; as long as it was. */
  rewrite: (chunk: Buffer) => Buffer = (chunk) => chunk;
  readonly #server: Server;
  readonly #delayMs: number;

  private constructor(target: ProxyTarget, { delayMs = 0 }: ProxyOptions) {
    this.target = target;
    this.#delayMs = delayMs;
    this.#server = createServer((client) => this.#accept(client));
  }

  static async start(target: ProxyTarget, options: ProxyOptions = {}): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, options);
    proxy.#server.listen(0, options.host ?? '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
  }

  /** The connections that are open now. */
  get open(): ProxiedConnection[] {
    return this.all.filter((connection) => connection.open);
  }

  /** Passes on what `hold` has kept. */
  release(): void {
    this.manner = 'forward';
    for (const connection of this.open) if (connection.server === undefined) this.#forward(connection);
  }

  /** Ends every connection with a RST. */
  cut(): void {
    for (const { client, server } of this.open) {
      reset(client);
      server?.destroy();
    }
  }

  /** Refuses connections from now on; those there are go on. */
  refuse(): void {
    this.#server.close();
  }

  /** Refuses connections from now on and cuts those there are. */
  async stop(): Promise<void> {
    const { listening } = this.#server;
    if (listening) this.#server.close();
    this.cut();
    for (const { server } of this.all) server?.destroy();
    if (listening) await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #accept(client: Socket): void {
    const connection = new ProxiedConnection(client);
    this.all.push(connection);
    this.#count();
    client.setNoDelay(true);
    client.on('error', () => {});
    client.on('close', () => {
      if (!connection.silent) connection.server?.destroy();
    });
    const { manner } = this;
    if (manner === 'forward') {
      this.#forward(connection);
    } else if (typeof manner === 'object' && 'afterGreeting' in manner) {
      this.#forward(connection);
      client.once('data', () => {
        if (manner.afterGreeting === 'reset') reset(client);
        else client.destroy();
      });
    } else {
      // Unread, the end of the client would never show.
      client.resume();
      if (manner !== 'hold') setTimeout(() => client.destroy(), manner.closeAfterMs);
    }
  }

  #forward(connection: ProxiedConnection): void {
    const { client } = connection;
    const server = connect(this.target.port, this.target.host);
    connection.server = server;
    server.setNoDelay(true);
    const later = (step: () => void): void => {
      if (this.#delayMs === 0) step();
      else setTimeout(step, this.#delayMs);
    };
    server.on('error', () => {});
    server.on('close', () =>
      later(() => {
        if (!connection.silent) client.destroy();
      }),
    );
    server.on('data', (chunk) =>
      later(() => {
        if (!connection.silent) client.write(chunk);
      }),
    );
    client.on('data', (chunk) => {
      connection.received = Buffer.concat([connection.received, chunk]);
      // The packets of a login are numbered from 1 on; each command begins with 0.
      if (chunk[3] === 0) connection.loggedIn = true;
      if (!this.intercept(chunk, connection)) return;
      const keepMs = this.keepBackMs(chunk);
      const passOn = (): void => {
        if (!connection.silent) server.write(this.rewrite(chunk));
      };
      if (keepMs === 0) passOn();
      else setTimeout(passOn, keepMs);
    });
  }

  #count(): void {
    const open = this.open;
    this.peakOpen = Math.max(this.peakOpen, open.length);
    this.peakLogins = Math.max(this.peakLogins, open.filter(({ loggedIn }) => !loggedIn).length);
  }
}

/** Node never closes a socket that it is told to reset once its writing side has ended. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
