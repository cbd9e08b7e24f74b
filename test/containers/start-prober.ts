import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LabAddress, MasterName } from '../../src/testing/index.ts';
import { LabError } from '../../src/testing/lab-error.ts';
import type { Probe } from './prober-process.ts';
import type { ProberWait, VipProber, VipSighting } from './vip-prober.ts';

const program = fileURLToPath(new URL('prober-process.ts', import.meta.url));

/** The masters of every lab, by `server_id`. */
export const masterNames: Readonly<Record<number, MasterName>> = { 1: 'a', 2: 'b' };

/** Starts the prober in a process of its own, which a busy test does not hold up; it dials from each address in turn. */
export async function startProber(vip: LabAddress, from: readonly string[]): Promise<VipProber> {
  const child = fork(program, [vip.host, String(vip.port), ...from], { execArgv: ['--import', 'tsx'] });
  await once(child, 'message');
  return new ProberProcess(child);
}

interface Waiter {
  readonly accepts: (sighting: VipSighting) => boolean;
  readonly resolve: (sighting: VipSighting) => void;
}

class ProberProcess implements VipProber {
  readonly sightings: VipSighting[] = [];
  readonly #child: ChildProcess;
  readonly #seen: VipSighting[] = [];
  readonly #waiters = new Set<Waiter>();

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (probe: Probe) => this.#note(probe));
  }

  counts(): { readonly begun: number; readonly failed: number } {
    const failed = this.#seen.filter(({ server }) => server === undefined).length;
    return { begun: this.#seen.length, failed };
  }

  firstAnswer(since: number, options: ProberWait = {}): Promise<VipSighting> {
    return this.#first('an answer', ({ server }) => server !== undefined, { since, ...options });
  }

  firstWritable(since: number, options: ProberWait = {}): Promise<VipSighting> {
    return this.#first('a writable server', ({ state }) => state === 'writable', { since, ...options });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    await exited;
  }

  #note({ begunAt, at, state, serverId, code }: Probe): void {
    const server = masterNames[serverId ?? 0];
    const sighting: VipSighting = {
      begunAt,
      at,
      state,
      ...(server === undefined ? {} : { server }),
      ...(code === undefined ? {} : { code }),
    };
    this.#seen.push(sighting);
    for (const waiter of this.#waiters) if (waiter.accepts(sighting)) waiter.resolve(sighting);
    const last = this.sightings.at(-1);
    // One that was begun before and took longer tells old news.
    if (last !== undefined && begunAt < last.begunAt) return;
    if (last?.state !== state || last.server !== server || last.code !== code) this.sightings.push(sighting);
  }

  async #first(
    what: string,
    isIt: (sighting: VipSighting) => boolean,
    { since, server, timeoutMs = 30_000 }: ProberWait & { readonly since: number },
  ): Promise<VipSighting> {
    const accepts = (sighting: VipSighting): boolean =>
      sighting.begunAt >= since && isIt(sighting) && (server === undefined || sighting.server === server);
    const seen = this.#seen.find(accepts);
    if (seen !== undefined) return seen;
    let timer: NodeJS.Timeout | undefined;
    let waiter: Waiter | undefined;
    try {
      return await new Promise<VipSighting>((resolve, reject) => {
        waiter = { accepts, resolve };
        this.#waiters.add(waiter);
        const last = JSON.stringify(this.sightings.at(-1));
        const late = `the prober has not seen ${what} within ${timeoutMs} ms; before that it saw ${last}`;
        timer = setTimeout(() => reject(new LabError(late)), timeoutMs);
      });
    } finally {
      clearTimeout(timer);
      if (waiter !== undefined) this.#waiters.delete(waiter);
    }
  }
}
