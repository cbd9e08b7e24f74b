import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from './clock.ts';
import { endProcess, forkScript } from './processes.ts';
import type { ReconnectReply, ReconnectSetup } from './reconnect-process.ts';

const tickMs = 20;

/** Processes full of clusters, and what they have told so far. */
export class ReconnectProcesses implements AsyncDisposable {
  readonly #children: readonly ChildProcess[];
  readonly #clusters: number;
  readonly #connections: number;
  readonly returnedAt: number[] = [];
  readonly troubles: string[] = [];
  #opened = 0;
  #ended: string | undefined;

  constructor(setup: ReconnectSetup, processes: number) {
    this.#clusters = setup.clusters * processes;
    this.#connections = this.#clusters * setup.connections;
    this.#children = Array.from({ length: processes }, () => forkScript('./reconnect-process.ts', setup));
    for (const child of this.#children) {
      child.on('message', (reply: ReconnectReply) => this.#note(reply));
      child.once('exit', (code, signal) => {
        this.#ended = `a process of clusters ended: ${code ?? signal}`;
      });
    }
  }

  /** How many clusters are open, once all of them are or the time is up. */
  async waitForOpened(timeoutMs: number): Promise<number> {
    await this.#wait(() => this.#opened >= this.#clusters, timeoutMs);
    return this.#opened;
  }

  /** Resolves when all connections have returned, or the time is up. */
  async waitForReturned(timeoutMs: number): Promise<void> {
    await this.#wait(() => this.returnedAt.length >= this.#connections, timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => endProcess(child)));
  }

  async #wait(isDone: () => boolean, timeoutMs: number): Promise<void> {
    const end = nowMs() + timeoutMs;
    while (!isDone() && nowMs() < end) {
      if (this.#ended !== undefined) throw new Error(this.#ended);
      await sleep(tickMs);
    }
  }

  #note(reply: ReconnectReply): void {
    switch (reply.kind) {
      case 'opened':
        this.#opened += 1;
        return;
      case 'back':
        this.returnedAt.push(reply.at);
        return;
      case 'trouble':
        this.troubles.push(reply.what);
        return;
    }
  }
}
