import type { RelayReply, RelayRequest } from './relay-command.ts';
import { RelayServer } from './relay-server.ts';

// The entry of the relay's own process: `node relay-process.js <host> <port>`, commanded over its IPC channel.
const [host = '127.0.0.1', port = '3306'] = process.argv.slice(2);
const relay = new RelayServer({ host, port: Number(port) });
let turn: Promise<void> = Promise.resolve();

process.on('message', ({ id, command }: RelayRequest) => {
  turn = turn
    .then(() => relay.run(command))
    .then(
      () => reply({ id }),
      (error: unknown) => reply({ id, error: String(error) }),
    );
});
process.on('disconnect', () => process.exit());
// The parent may have ended while this process was loading.
if (!process.connected) process.exit();

function reply(answer: RelayReply): void {
  process.send?.(answer);
}
