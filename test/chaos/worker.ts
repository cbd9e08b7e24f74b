import type { ChildProcess } from 'node:child_process';
import type { History } from './history.ts';
import { endProcess, forkScript } from './processes.ts';
import type { Rates } from './rates.ts';
import type { WorkerReply, WorkerRequest, WorkerSetup } from './worker-messages.ts';

/** A process that uses one client, seen from outside. */
export class Worker {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves once the client can be used. */
  static async open(setup: WorkerSetup): Promise<Worker> {
    const child = forkScript('./worker-process.ts', setup);
    const worker = new Worker(child);
    const reply = await worker.#next();
    if (reply.kind === 'ready') return worker;
    await endProcess(child);
    throw new Error(
      `${setup.client} did not get ready: ${reply.kind === 'failed' ? reply.message : reply.kind}`,
    );
  }

  start(rates: Rates): void {
    this.#send({ kind: 'start', rates });
  }

  writeEvent(): void {
    this.#send({ kind: 'write-event' });
  }

  /** Ends the process; operations that do not end within `patienceMs` are in the history as pending. */
  async stop(patienceMs: number): Promise<History> {
    this.#send({ kind: 'stop', patienceMs });
    const reply = await this.#next();
    await endProcess(this.#child);
    if (reply.kind !== 'history') throw new Error(`a worker answered ${reply.kind} instead of its history`);
    return reply.history;
  }

  #send(request: WorkerRequest): void {
    this.#child.send(request);
  }

  #next(): Promise<WorkerReply> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error('a worker process ended before it had answered'));
      this.#child.once('exit', onExit);
      this.#child.once('message', (reply: WorkerReply) => {
        this.#child.off('exit', onExit);
        resolve(reply);
      });
    });
  }
}
