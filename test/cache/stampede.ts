import type { ChildProcess } from 'node:child_process';
import type { CacheStatus } from '../../src/index.ts';
import type { Lab } from '../../src/testing/index.ts';
import { endProcess, forkScript } from '../chaos/processes.ts';
import type { StampedeOrder, StampedeReply, StampedeSetup } from './stampede-process.ts';

export interface StampedeOptions {
  readonly processes: number;
  readonly readBudgetMs: number;
  /** How long a load takes beyond its query. */
  readonly loadMs: number;
}

export interface StampedeResult {
  /** How often the database was asked. */
  readonly loads: number;
  /** What the readers were given, each number once. */
  readonly numbers: readonly number[];
  /** Until the last reader of the slowest process had its answer. */
  readonly tookMs: number;
  readonly status: readonly (CacheStatus | undefined)[];
}

/** Processes that all want the same value at the same time. */
export class Herd {
  readonly #children: readonly ChildProcess[];

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  static async start(lab: Lab, { processes, ...options }: StampedeOptions): Promise<Herd> {
    const setup: StampedeSetup = { config: lab.config(), redis: lab.redisUrl ?? '', ...options };
    const children = Array.from({ length: processes }, () =>
      forkScript('../cache/stampede-process.ts', setup),
    );
    const herd = new Herd(children);
    try {
      await Promise.all(children.map((child) => replyOf(child, 'ready', () => {})));
    } catch (error) {
      await herd.stop();
      throw error;
    }
    return herd;
  }

  /** `order.readers` in all, at once. */
  async run({ readers, ...order }: StampedeOrder): Promise<StampedeResult> {
    let loads = 0;
    const share = Math.ceil(readers / this.#children.length);
    const done = this.#children.map((child) =>
      replyOf(child, 'done', () => {
        loads += 1;
      }),
    );
    for (const child of this.#children) child.send({ ...order, readers: share });
    const replies = await Promise.all(done);
    return {
      loads,
      numbers: [...new Set(replies.flatMap(({ numbers }) => numbers))],
      tookMs: Math.max(...replies.map(({ tookMs }) => tookMs)),
      status: replies.map(({ status }) => status),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map(endProcess));
  }
}

/** The next message of that kind; rejects when the process fails or ends. */
function replyOf<K extends 'ready' | 'done'>(
  child: ChildProcess,
  kind: K,
  onLoad: () => void,
): Promise<StampedeReply & { readonly kind: K }> {
  return new Promise((resolve, reject) => {
    const ended = (): void => settle(() => reject(new Error('a process of the herd has ended')));
    const heard = (reply: StampedeReply): void => {
      if (reply.kind === 'load') onLoad();
      else if (reply.kind === 'failed') settle(() => reject(new Error(reply.message)));
      else if (reply.kind === kind) settle(() => resolve(reply as StampedeReply & { readonly kind: K }));
    };
    const settle = (how: () => void): void => {
      child.off('message', heard);
      child.off('exit', ended);
      how();
    };
    child.on('message', heard);
    child.on('exit', ended);
  });
}
