import type { StartedTestContainer } from 'testcontainers';
import { run } from './lab-container.ts';

type Signal = 'KILL' | 'TERM' | 'STOP' | 'CONT';

/** A program in a container, which outlives it: it can be killed, frozen and started again. */
export class ContainerProgram {
  readonly #container: StartedTestContainer;
  readonly #name: string;
  readonly #command: readonly string[];
  #state: 'dead' | 'alive' | 'frozen' = 'dead';
  #pid: number | undefined;

  constructor(container: StartedTestContainer, name: string, command: readonly string[]) {
    this.#container = container;
    this.#name = name;
    this.#command = command;
  }

  get state(): 'dead' | 'alive' | 'frozen' {
    return this.#state;
  }

  /** Its process id in the container; undefined while it is dead. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Starts the program, also one that has ended by itself; does nothing if it runs. */
  async start(): Promise<void> {
    if (this.#state === 'frozen') return;
    this.#pid = Number(await run(this.#container, ['/lab/program.sh', this.#name, ...this.#command]));
    this.#state = 'alive';
  }

  /** Sends SIGKILL to the program and its children, and waits for their end; works on a frozen one too. */
  async kill(): Promise<void> {
    await this.#signal('KILL');
    this.#ended();
  }

  /** Sends SIGTERM and waits for the end. */
  async terminate(): Promise<void> {
    await this.thaw();
    await this.#signal('TERM');
    this.#ended();
  }

  /** Sends SIGSTOP and waits until every thread stands still. */
  async freeze(): Promise<void> {
    if (this.#state !== 'alive') return;
    await this.#signal('STOP');
    this.#state = 'frozen';
  }

  async thaw(): Promise<void> {
    if (this.#state !== 'frozen') return;
    await this.#signal('CONT');
    this.#state = 'alive';
  }

  #ended(): void {
    this.#state = 'dead';
    this.#pid = undefined;
  }

  async #signal(signal: Signal): Promise<void> {
    if (this.#state !== 'dead') await run(this.#container, ['/lab/signal.sh', this.#name, signal]);
  }
}
