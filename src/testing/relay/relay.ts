import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { LabAddress } from '../lab.ts';
import { LabError } from '../lab-error.ts';
import type { Keeper } from '../processes/keeper.ts';
import type { RelayCommand, RelayReply, RelayRequest } from './relay-command.ts';

interface Pending {
  readonly resolve: () => void;
  readonly reject: (error: LabError) => void;
}

/** The relay process, seen from the lab. */
export class Relay {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #dead = false;

  constructor(address: LabAddress, keeper: Keeper) {
    const isSource = import.meta.url.endsWith('.ts');
    const entry = fileURLToPath(
      new URL(isSource ? './relay-process.ts' : './relay-process.js', import.meta.url),
    );
    this.#child = fork(entry, [address.host, String(address.port)], {
      detached: true,
      execArgv: isSource ? ['--import', typescriptLoader()] : [],
    });
    const { pid } = this.#child;
    if (pid !== undefined) keeper.watch(pid);
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', resolve);
      this.#child.once('error', () => resolve());
    });
    void this.#ended.then(() => {
      if (pid !== undefined) keeper.forget(pid);
      this.#failPending();
    });
    this.#child.on('message', ({ id, error }: RelayReply) => {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) pending?.resolve();
      else pending?.reject(new LabError(`the relay failed: ${error}`));
    });
  }

  /** Resolves when the command has taken effect. */
  run(command: RelayCommand): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      const request: RelayRequest = { id: this.#lastId, command };
      this.#pending.set(request.id, { resolve, reject });
      if (this.#dead) this.#failPending();
      else this.#child.send(request);
    });
  }

  async kill(): Promise<void> {
    if (this.#dead) return;
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #failPending(): void {
    this.#dead = true;
    for (const { reject } of this.#pending.values()) reject(new LabError('the relay process has ended'));
    this.#pending.clear();
  }
}

/** Node 20 runs no TypeScript; this is needed only when the lab itself runs from its sources. */
function typescriptLoader(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
}
