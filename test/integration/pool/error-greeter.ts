import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

/** A peer that answers every connection with an error packet instead of a greeting, as a server does that has banned the host. */
export class ErrorGreeter implements AsyncDisposable {
  accepted = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start({ errno, message }: { errno: number; message: string }): Promise<ErrorGreeter> {
    const packet = errorPacket(errno, message);
    const server = createServer((client) => {
      greeter.accepted += 1;
      client.on('error', () => {});
      client.end(packet);
    });
    const greeter = new ErrorGreeter(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return greeter;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** ERR packet before the greeting: no SQLSTATE, sequence number 0. */
function errorPacket(errno: number, message: string): Buffer {
  const text = Buffer.from(message, 'utf8');
  const packet = Buffer.alloc(4 + 3 + text.length);
  packet.writeUIntLE(3 + text.length, 0, 3);
  packet.writeUInt8(0xff, 4);
  packet.writeUInt16LE(errno, 5);
  text.copy(packet, 7);
  return packet;
}
