import type { ProxiedConnection, TcpProxy } from '../integration/pool/tcp-proxy.ts';
import { eventually } from './eventually.ts';

/**
 * What becomes of a COMMIT on its way: the answer is swallowed and the client reset; the COMMIT never arrives, and its
 * session lives on; it arrives only after the client was reset; the answer is swallowed and nobody says so.
 */
export type Theft = 'answer' | 'question' | 'delay' | 'silence';

const lateMs = 300;

/** Stands before a primary and decides what becomes of each COMMIT. */
export class CommitGate {
  readonly #proxy: TcpProxy;
  readonly #held: (() => void)[] = [];

  constructor(proxy: TcpProxy) {
    this.#proxy = proxy;
  }

  /** Every COMMIT passes. */
  open(): void {
    this.#proxy.intercept = () => true;
    for (const passOn of this.#held.splice(0)) passOn();
  }

  /** COMMITs wait for {@link open}. */
  close(): void {
    this.#onCommit((chunk, connection) => {
      this.#held.push(() => connection.server?.write(chunk));
      return false;
    });
  }

  /** Resolves when so many COMMITs wait. */
  async holds(count: number): Promise<void> {
    await eventually(`${count} COMMITs at the gate`, () => this.#held.length >= count);
  }

  /** Each COMMIT is lost in the manner that `choose` names, or passes. */
  steal(choose: () => Theft | undefined): void {
    this.#onCommit((chunk, connection) => {
      const theft = choose();
      return theft === undefined || steal(theft, chunk, connection);
    });
  }

  #onCommit(decide: (chunk: Buffer, connection: ProxiedConnection) => boolean): void {
    this.#proxy.intercept = (chunk, connection) =>
      !/COMMIT;?$/.test(chunk.toString('latin1')) || decide(chunk, connection);
  }
}

/** Says whether the COMMIT goes on to the server. */
function steal(theft: Theft, chunk: Buffer, connection: ProxiedConnection): boolean {
  const { client, server } = connection;
  const reset = (): void => {
    client.resetAndDestroy();
  };
  // What the session on the server does from here on, the client does not learn.
  queueMicrotask(() => connection.silence());
  if (theft === 'answer') server?.once('data', reset);
  if (theft === 'question' || theft === 'delay') reset();
  if (theft === 'delay') setTimeout(() => server?.write(chunk), lateMs);
  return theft === 'answer' || theft === 'silence';
}
