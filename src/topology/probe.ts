import type { Socket } from 'node:net';

/** One login that looks for the primary. */
export class Probe {
  #socket: Pick<Socket, 'bytesRead'> | undefined;
  #bytesHeard = 0;
  #heardAt = Number.NEGATIVE_INFINITY;

  connected(socket: Pick<Socket, 'bytesRead'>): void {
    this.#socket = socket;
  }

  /** Somebody has accepted it. */
  get isConnected(): boolean {
    return this.#socket !== undefined;
  }

  /** For how long its server has said nothing, as far as was looked; infinite while it has not greeted. */
  silentMs(now: number): number {
    const bytes = this.#socket?.bytesRead ?? 0;
    if (bytes > this.#bytesHeard) this.#heardAt = now;
    this.#bytesHeard = bytes;
    return now - this.#heardAt;
  }
}
