import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chooseAddresses } from '../../../src/testing/addresses.ts';
import type { LabAddress } from '../../../src/testing/lab.ts';
import { Keeper } from '../../../src/testing/processes/keeper.ts';
import { Relay } from '../../../src/testing/relay/relay.ts';
import { sleep } from '../../support/cluster.ts';

describe('the relay', () => {
  let address: LabAddress;
  let first: Echo;
  let second: Echo;
  let keeper: Keeper;
  let relay: Relay;
  const clients: Client[] = [];

  beforeAll(async () => {
    const { vip, servers } = await chooseAddresses(2);
    const [one = vip, two = vip] = servers;
    address = vip;
    keeper = new Keeper();
    relay = new Relay(vip, keeper);
    first = await Echo.listen(one, '1');
    second = await Echo.listen(two, '2');
  });
  beforeEach(() => relay.run({ door: { kind: 'forward', target: first.address } }));
  afterEach(async () => {
    for (const client of clients.splice(0)) client.socket.destroy();
    first.forgetAll();
    await relay.run({ connections: 'forget' });
  });
  afterAll(async () => {
    await relay.kill();
    await keeper.finish();
    await Promise.all([first.close(), second.close()]);
  });

  async function open(): Promise<Client> {
    const client = new Client(connect({ ...address, allowHalfOpen: true }));
    clients.push(client);
    await client.connected;
    return client;
  }

  it('passes what each side sends, in order and complete, however much it is', async () => {
    const client = await open();
    const sent = Buffer.alloc(20_000_000, 'abcdefghij');
    client.socket.end(sent);
    await client.ended;
    expect(client.received().equals(Buffer.concat([Buffer.from('1'), sent]))).toBe(true);
  });

  it('passes the end of one direction on and keeps the other open', async () => {
    const client = await open();
    client.socket.end('last words');
    await client.ended;
    expect(client.received().toString()).toBe('1last words');
  });

  it('passes a reset of the server on as a reset', async () => {
    const client = await open();
    await client.receives('1');
    first.resetAll();
    expect(await client.ended).toBe('ECONNRESET');
  });

  it('leads new connections to the new target at once and resets old ones, whose server is not told', async () => {
    const client = await open();
    await client.receives('1');
    await relay.run({ door: { kind: 'forward', target: second.address }, connections: 'reset' });
    expect(await client.ended).toBe('ECONNRESET');
    expect(first.open()).toBe(1);
    const next = await open();
    await next.receives('2');
  });

  it('abandons connections for good: neither side hears of the other, even when the server ends', async () => {
    const client = await open();
    await client.receives('1');
    await relay.run({ door: { kind: 'forward', target: second.address }, connections: 'abandon' });
    client.socket.write('into the void');
    first.resetAll();
    await relay.run({ connections: 'resume' });
    await sleep(100);
    expect([client.received().toString(), client.isOpen()]).toEqual(['1', true]);
    await relay.run({ connections: 'forget' });
    expect(await client.ended).toBe('ECONNRESET');
  });

  it('holds data and ends back while silent and passes them on when resumed', async () => {
    const client = await open();
    await client.receives('1');
    await relay.run({ connections: 'silence' });
    client.socket.end('held back');
    await sleep(100);
    expect(first.heard()).toBe('');
    await relay.run({ connections: 'resume' });
    await client.ended;
    expect(client.received().toString()).toBe('1held back');
  });

  it('refuses connections while its door says so', async () => {
    await relay.run({ door: { kind: 'refuse' } });
    await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await relay.run({ door: { kind: 'forward', target: first.address } });
    await (await open()).receives('1');
  });

  it('lets connects hang while silent, and lets them through afterwards when the client tries again', async () => {
    await relay.run({ door: { kind: 'silent' } });
    const attempts = [1, 2, 3, 4].map(() => open());
    const answered = attempts.map((attempt) => attempt.then(() => true));
    expect(await Promise.race([...answered, sleep(300)])).toBeUndefined();
    await relay.run({ door: { kind: 'forward', target: first.address } });
    // The kernel repeats the SYN after a second.
    await Promise.all(attempts);
    await (await open()).receives('1');
  });

  it('opens and closes the silence many times', async () => {
    for (let round = 0; round < 5; round += 1) {
      await relay.run({ door: { kind: 'silent' } });
      await relay.run({ door: { kind: 'forward', target: first.address } });
      await (await open()).receives('1');
    }
  });
});

/** A server that greets with its name and sends back what it hears. */
class Echo {
  readonly address: LabAddress;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #heard = '';

  private constructor(address: LabAddress, server: Server) {
    this.address = address;
    this.#server = server;
  }

  static async listen(address: LabAddress, name: string): Promise<Echo> {
    const server = createServer({ allowHalfOpen: true });
    const echo = new Echo(address, server);
    server.on('connection', (socket) => {
      echo.#sockets.add(socket);
      socket.on('close', () => echo.#sockets.delete(socket));
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        echo.#heard = (echo.#heard + chunk.toString()).slice(-100);
      });
      socket.write(name);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(address, resolve));
    return echo;
  }

  heard(): string {
    return this.#heard;
  }

  open(): number {
    return this.#sockets.size;
  }

  /** Forgets what it has heard and whom from. */
  forgetAll(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#heard = '';
  }

  resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

class Client {
  readonly socket: Socket;
  readonly connected: Promise<void>;
  /** The code of the error it ended with, or `end`. */
  readonly ended: Promise<string>;
  readonly #chunks: Buffer[] = [];
  #isOpen = true;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    this.connected = new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    this.connected.catch(() => {});
    this.ended = new Promise((resolve) => {
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
      socket.once('end', () => resolve('end'));
    });
    void this.ended.then(() => {
      this.#isOpen = false;
    });
  }

  received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  isOpen(): boolean {
    return this.#isOpen;
  }

  async receives(text: string): Promise<void> {
    await expect.poll(() => this.received().toString()).toBe(text);
  }
}
