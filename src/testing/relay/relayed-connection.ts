import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { LabAddress } from '../lab.ts';

type State =
  | 'flowing'
  /** Nothing is read or passed on, either way, until it flows again. */
  | 'silent'
  /** The client hears nothing more, ever; the server keeps its session. */
  | 'abandoned'
  /** The client is gone; the server keeps its session. */
  | 'cut';

/** One client's connection through the relay and its other half to a server. */
export class RelayedConnection {
  readonly #client: Socket;
  readonly #server: Socket;
  #state: State = 'flowing';
  /** What would have been passed on while silent. */
  #held: (() => void)[] = [];

  constructor(client: Socket, target: LabAddress, onClose: () => void) {
    this.#client = client;
    this.#server = connect({ ...target, noDelay: true, allowHalfOpen: true });
    client.setNoDelay(true);
    this.#pass(client, this.#server);
    this.#pass(this.#server, client);
    let open = 2;
    for (const socket of [client, this.#server]) {
      socket.once('close', () => {
        open -= 1;
        if (open === 0) onClose();
      });
    }
  }

  silence(): void {
    if (this.#state === 'flowing') this.#halt('silent');
  }

  resume(): void {
    if (this.#state !== 'silent') return;
    this.#state = 'flowing';
    this.#client.resume();
    this.#server.resume();
    for (const passOn of this.#held.splice(0)) passOn();
  }

  abandon(): void {
    if (this.#state !== 'cut') this.#halt('abandoned');
  }

  reset(): void {
    if (this.#state === 'abandoned') return;
    this.#state = 'cut';
    this.#client.resetAndDestroy();
    // Reading on and throwing away shows when the server ends the session.
    this.#server.resume();
  }

  /** Ends both halves of a connection that its client or server cannot use any more. */
  forget(): void {
    if (this.#state === 'flowing' || this.#state === 'silent') return;
    this.#client.resetAndDestroy();
    this.#server.destroy();
  }

  #halt(state: 'silent' | 'abandoned'): void {
    this.#state = state;
    this.#client.pause();
    this.#server.pause();
  }

  #pass(from: Socket, to: Socket): void {
    from.on('data', (chunk) => {
      if (this.#state === 'cut') return;
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => {
      if (this.#state === 'flowing') from.resume();
    });
    // A paused socket still reports its end and its errors.
    from.on('end', () => this.#passOn(from, () => to.end()));
    from.on('error', () => this.#passOn(from, () => to.resetAndDestroy()));
    from.on('close', () => this.#passOn(from, () => to.destroySoon()));
  }

  #passOn(from: Socket, event: () => void): void {
    if (this.#state === 'flowing') event();
    else if (this.#state === 'silent') this.#held.push(event);
    else from.destroy();
  }
}
