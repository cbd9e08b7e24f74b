import type { ChildProcess } from 'node:child_process';
import type { Lab, LabAddress, MasterName } from '../../src/testing/index.ts';
import { endProcess, forkScript } from './processes.ts';

/** What a login at the VIP found, when that differs from what the one before it found. Times are those of `nowMs()`. */
export interface Sighting {
  readonly begunAt: number;
  readonly at: number;
  readonly state: 'writable' | 'read-only' | 'silent' | 'refused' | 'error';
  readonly server?: MasterName;
  readonly code?: string;
}

/** Somebody else who watches the VIP. */
export interface Prober {
  readonly sightings: readonly Sighting[];
  stop(): Promise<void>;
}

/** What the prober's process is started with. */
export interface ProberSetup {
  readonly vip: LabAddress;
  /** The address to dial from; undefined where this machine has only one on loopback. */
  readonly from: string | undefined;
  readonly user: string;
  readonly password: string;
  /** The `server_id` of each master. */
  readonly masters: Readonly<Record<number, MasterName>>;
}

/** Watches the VIP of an embedded lab: a full login every 20 ms, in a process and from an address of its own. */
export class ProberProcess implements Prober {
  readonly #sightings: Sighting[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (sighting: Sighting) => this.#sightings.push(sighting));
  }

  /** Resolves once it has seen a writable primary. */
  static async start(lab: Lab): Promise<ProberProcess> {
    const setup: ProberSetup = {
      vip: { host: lab.vip.host, port: lab.vip.port },
      from: lab.vip.host === '127.0.0.1' ? undefined : '127.0.0.77',
      user: lab.user,
      password: lab.password,
      masters: await serverIds(lab),
    };
    const prober = new ProberProcess(forkScript('./prober-process.ts', setup));
    await prober.#firstWritable();
    return prober;
  }

  get sightings(): readonly Sighting[] {
    return this.#sightings;
  }

  stop(): Promise<void> {
    return endProcess(this.#child);
  }

  #firstWritable(): Promise<void> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error('the prober ended before it had seen a primary'));
      const onMessage = ({ state }: Sighting): void => {
        if (state !== 'writable') return;
        this.#child.off('message', onMessage).off('exit', onExit);
        resolve();
      };
      this.#child.on('message', onMessage).once('exit', onExit);
    });
  }
}

/** Which master has which `server_id`. */
export async function serverIds(lab: Lab): Promise<Record<number, MasterName>> {
  const ids: Record<number, MasterName> = {};
  for (const name of ['a', 'b'] as const) {
    const [row] = await lab.master(name).query<{ id: number }>('SELECT @@server_id AS id');
    if (row !== undefined) ids[row.id] = name;
  }
  return ids;
}
