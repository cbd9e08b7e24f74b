import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../lab-error.ts';
import { waitUntil } from '../wait-until.ts';
import type { Keeper } from './keeper.ts';

const freezeTimeoutMs = 2_000;

/** How to run one program of the lab. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The working folder. */
  readonly folder: string;
  /** Standard output and error are appended here. */
  readonly logFile: string;
}

type State =
  | { readonly kind: 'dead' }
  | {
      readonly kind: 'alive' | 'frozen';
      readonly child: ChildProcess;
      readonly pid: number;
      readonly ended: Promise<void>;
    };

/** A program that can be started, killed, frozen and started again, and that does not outlive this process. */
export class LabProcess {
  readonly #spec: ProcessSpec;
  readonly #keeper: Keeper;
  readonly #onEnd: () => void;
  #state: State = { kind: 'dead' };

  constructor(spec: ProcessSpec, keeper: Keeper, onEnd: () => void = () => {}) {
    this.#spec = spec;
    this.#keeper = keeper;
    this.#onEnd = onEnd;
  }

  get state(): State['kind'] {
    return this.#state.kind;
  }

  get pid(): number | undefined {
    return this.#state.kind === 'dead' ? undefined : this.#state.pid;
  }

  /** Starts the program; does nothing if it runs. */
  start(): void {
    if (this.#state.kind !== 'dead') return;
    const { name, command, args, env, folder, logFile } = this.#spec;
    const log = openSync(logFile, 'a');
    const child = this.#keeper.spawn(command, args, { stdio: ['ignore', log, log], folder, env });
    closeSync(log);
    const ended = new Promise<void>((resolve) => {
      child.once('exit', resolve);
      child.once('error', () => resolve());
    });
    const pid = child.pid;
    if (pid === undefined) throw new LabError(`${name} cannot be started: ${command}`);
    this.#state = { kind: 'alive', child, pid, ended };
    void ended.then(() => {
      this.#keeper.forget(pid);
      this.#state = { kind: 'dead' };
      this.#onEnd();
    });
  }

  /** Sends SIGKILL and waits for the end; works on a frozen process too. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Sends SIGTERM and waits for the end. */
  async terminate(): Promise<void> {
    this.thaw();
    await this.#end('SIGTERM');
  }

  /** Sends SIGSTOP and waits until every thread stands still: a moment later one could still answer. */
  async freeze(): Promise<void> {
    if (this.#state.kind !== 'alive') return;
    const { child, pid } = this.#state;
    child.kill('SIGSTOP');
    this.#state = { ...this.#state, kind: 'frozen' };
    await waitUntil(() => isStopped(pid), freezeTimeoutMs, 1);
  }

  thaw(): void {
    if (this.#state.kind !== 'frozen') return;
    this.#state.child.kill('SIGCONT');
    this.#state = { ...this.#state, kind: 'alive' };
  }

  /** An error that shows the end of the log. */
  failure(what: string): LabError {
    const tail = readFileSync(this.#spec.logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
    return new LabError(`${this.#spec.name} ${what}; the end of its log:\n${tail}`);
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.#state.kind === 'dead') return;
    const { child, ended } = this.#state;
    child.kill(signal);
    await ended;
  }
}

/** Where the system does not tell, a pause must do. */
async function isStopped(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return sleep(50, true);
  const threads = await readdir(`/proc/${pid}/task`);
  const stats = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8')),
  );
  // The state follows the name, which is in parentheses and may hold anything.
  return stats.every((stat) => stat.slice(stat.lastIndexOf(')') + 2).startsWith('T'));
}
