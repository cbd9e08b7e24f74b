import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { LabError } from '../lab-error.ts';

/**
 * Reads `+ pid`, `- pid` and `folder path` until the end of input, which comes when the parent ends in whatever way.
 * Then it kills what is left, frozen processes included, and removes the folders.
 */
const script = `
trap '' HUP INT TERM
pids=' '
folders=
while IFS=' ' read -r what value; do
  case $what in
    +) pids="$pids$value " ;;
    -) pids="\${pids%% $value *} \${pids#* $value }" ;;
    folder) folders="$folders$value
" ;;
  esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
lives() {
  kill -0 "$1" 2>/dev/null || return 1
  state=
  # What nobody has waited for yet still has an id.
  [ ! -r "/proc/$1/stat" ] || read -r _ _ state _ <"/proc/$1/stat"
  [ "$state" != Z ]
}
tries=0
for pid in $pids; do
  while lives "$pid" && [ $tries -lt 100 ]; do sleep 0.02; tries=$((tries + 1)); done
done
printf '%s' "$folders" | while IFS= read -r folder; do rm -rf -- "$folder" || exit 1; done
`;

/** Announces its process id to the keeper, lets go of it and becomes the program. */
const announceAndBecome = 'echo "+ $$" >&3 && exec 3>&- && exec "$0" "$@"';

/** How {@link Keeper.spawn} starts a program. */
export interface KeptOptions {
  readonly stdio: readonly ['pipe' | 'ignore', 'pipe' | number, 'pipe' | number];
  readonly folder?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** A process that outlives this one, to end and remove whatever this one leaves behind. */
export class Keeper {
  readonly #shell: ChildProcess;
  readonly #ended: Promise<number | null>;

  constructor() {
    // Its own session: Ctrl-C in the terminal must not end it together with its parent.
    this.#shell = spawn('/bin/sh', ['-c', script], {
      detached: true,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#ended = new Promise((resolve) => {
      this.#shell.once('exit', resolve);
      this.#shell.once('error', () => resolve(-1));
    });
    this.#shell.stdin?.on('error', () => {});
  }

  /**
   * Starts a program that is killed when this process ends. There is no moment in which it runs and the keeper does
   * not know: it announces itself before it begins, and the keeper's input stays open until it has.
   */
  spawn(command: string, args: readonly string[], { stdio, folder, env }: KeptOptions): ChildProcess {
    return spawn('/bin/sh', ['-c', announceAndBecome, command, ...args], {
      // Its own session: Ctrl-C in the terminal is this process's to handle.
      detached: true,
      stdio: [...stdio, this.#shell.stdin],
      env: { ...process.env, ...env },
      ...(folder === undefined ? {} : { cwd: folder }),
    });
  }

  /** From now on the process is killed when this one ends. */
  watch(pid: number): void {
    this.#tell(`+ ${pid}`);
  }

  /** The process has ended; its id may come to belong to a stranger. */
  forget(pid: number): void {
    this.#tell(`- ${pid}`);
  }

  /** From now on the folder is removed when this process ends. */
  removeAtEnd(folder: string): void {
    this.#tell(`folder ${folder}`);
  }

  /** Kills and removes everything now. */
  async finish(): Promise<void> {
    this.#shell.stdin?.end();
    const code = await this.#ended;
    if (code !== 0) throw new LabError(`cleaning up after the lab failed (sh ended with ${code})`);
  }

  #tell(line: string): void {
    this.#shell.stdin?.write(`${line}\n`);
  }
}
