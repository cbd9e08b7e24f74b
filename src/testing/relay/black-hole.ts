import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { LabAddress } from '../lab.ts';

/**
 * Listens with the shortest queue and then blocks its thread, so that nothing is ever accepted: once the queue is
 * full, the kernel drops each further SYN and the caller's connect hangs, without any privilege.
 */
const listenAndBlock = `
const { parentPort, workerData } = require('node:worker_threads');
const server = require('node:net').createServer();
server.once('error', (error) => parentPort.postMessage(error.message));
parentPort.once('message', (address) => {
  server.listen({ ...address, backlog: 1 }, () => {
    parentPort.postMessage('listening');
    Atomics.wait(workerData.gate, 0, 0);
    server.close();
    parentPort.close();
  });
});
parentPort.postMessage('ready');
`;

/** A place where every connect hangs. */
export class BlackHole {
  readonly #gate = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker = new Worker(listenAndBlock, { eval: true, workerData: { gate: this.#gate } });
  readonly #ready = this.#answer();
  #fillers: readonly Socket[] = [];

  /** Resolves when opening will take no longer than a system call. */
  async prepare(): Promise<void> {
    await this.#ready;
  }

  async open(address: LabAddress): Promise<void> {
    await this.#ready;
    this.#worker.postMessage(address);
    const answer = await this.#answer();
    if (answer !== 'listening') throw new Error(String(answer));
    this.#fillers = await Promise.all([fill(address), fill(address)]);
  }

  async close(): Promise<void> {
    for (const filler of this.#fillers) filler.destroy();
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    Atomics.store(this.#gate, 0, 1);
    Atomics.notify(this.#gate, 0);
    await ended;
  }

  #answer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#worker.once('message', resolve);
      this.#worker.once('error', reject);
    });
  }
}

/** Takes one place of the queue, unless a client was faster. */
function fill(address: LabAddress): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const done = (): void => resolve(socket);
    socket.on('error', () => {});
    socket.once('connect', done);
    socket.setTimeout(100, done);
  });
}
