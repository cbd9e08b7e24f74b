import type { OwnRedisClient } from './redis-client.ts';

/**
 * How long a server counts as the master after the Sentinels were asked whether it is. Not longer than the first
 * invalidation of a process takes in a life of the store that is new to it (`longestCopyMs`): whoever has been to a
 * promoted master invalidates nothing there before all others have left the old one.
 */
const leaseMs = 400;

/** Between two times of asking. */
const paceMs = 120;

/**
 * A Sentinel that has said nothing for so long is not waited for any more, until it does. They are slow just when they
 * promote: each of them writes its configuration to its disk then.
 */
const patienceMs = 5_000;

/** A server, as it is known to those who are connected to it. */
export interface ServerName {
  readonly runId: string;
  /** `host:port` of the other end of the connection. */
  readonly address: string;
}

export interface MasterLeaseOptions {
  readonly sentinels: readonly OwnRedisClient[];
  /** By which the Sentinels know the master. */
  readonly name: string;
  /** Another server is the master. */
  readonly onOther: () => void;
  /** Whether the lease is held has changed. */
  readonly onChange: (isHeld: boolean) => void;
}

/** What a Sentinel says of a server. */
type Verdict = 'master' | 'other' | 'silent';

/**
 * Knows whether a server is still the master that the Sentinels name. One that was replaced is not told at once, and goes
 * on answering: what it says is to be believed only while this lease is held, and what it was told only if {@link confirm}
 * resolves afterwards.
 */
export class MasterLease {
  readonly #options: MasterLeaseOptions;
  readonly #silent = new Set<OwnRedisClient>();
  #server: ServerName | undefined;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #wasHeld = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: MasterLeaseOptions) {
    this.#options = options;
  }

  get isHeld(): boolean {
    return performance.now() - this.#confirmedAt < leaseMs;
  }

  /** Takes the lease for that server, and keeps it until {@link drop}. Rejects as {@link confirm} does. */
  async take(server: ServerName): Promise<void> {
    this.drop();
    this.#server = server;
    await this.confirm();
    if (this.#server !== server) throw new Error('the connection to Redis was closed');
    this.#wasHeld = true;
    this.#timer = setInterval(() => void this.#renew(), paceMs).unref();
  }

  /** Resolves when most Sentinels, asked now, name this server. Rejects when one names another, or too few answer. */
  async confirm(): Promise<void> {
    const askedAt = performance.now();
    const server = this.#server;
    if (server === undefined) throw new Error('Redis is not connected');
    const verdicts = await this.#ask(server);
    if (verdicts.includes('other')) throw new Error('a Sentinel names another Redis as the master');
    if (server !== this.#server) throw new Error('the connection to Redis was closed');
    const agreed = verdicts.filter((verdict) => verdict === 'master').length;
    if (agreed * 2 <= verdicts.length) throw new Error('too few Sentinels say which Redis is the master');
    this.#confirmedAt = Math.max(this.#confirmedAt, askedAt);
  }

  drop(): void {
    clearInterval(this.#timer);
    this.#server = undefined;
    this.#confirmedAt = Number.NEGATIVE_INFINITY;
    this.#wasHeld = false;
  }

  close(): void {
    this.drop();
    for (const sentinel of this.#options.sentinels) sentinel.disconnect();
  }

  async #renew(): Promise<void> {
    const server = this.#server;
    await this.confirm().catch(() => {
      // The lease runs out, and is told of below.
    });
    if (server !== this.#server || this.#wasHeld === this.isHeld) return;
    this.#wasHeld = this.isHeld;
    this.#options.onChange(this.#wasHeld);
  }

  #ask(server: ServerName): Promise<readonly Verdict[]> {
    return Promise.all(this.#options.sentinels.map((sentinel) => this.#verdictOf(sentinel, server)));
  }

  /** What one Sentinel says, as soon as it does. Never rejects. */
  #verdictOf(sentinel: OwnRedisClient, server: ServerName): Promise<Verdict> {
    const answer = this.#answerOf(sentinel, server);
    if (this.#silent.has(sentinel)) return Promise.resolve('silent');
    return new Promise((resolve) => {
      const limit = setTimeout(() => {
        this.#silent.add(sentinel);
        resolve('silent');
      }, patienceMs);
      void answer.then((verdict) => {
        clearTimeout(limit);
        resolve(verdict);
      });
    });
  }

  async #answerOf(sentinel: OwnRedisClient, server: ServerName): Promise<Verdict> {
    try {
      const told = (await sentinel.call('SENTINEL', 'MASTER', this.#options.name)) as readonly string[];
      this.#silent.delete(sentinel);
      const { ip, port, runid } = fieldsOf(told);
      if (runid === server.runId || `${ip}:${port}` === server.address) return 'master';
      // Also when nobody waits for it any more.
      if (server === this.#server) {
        this.drop();
        this.#options.onOther();
      }
      return 'other';
    } catch {
      // It is not connected.
      return 'silent';
    }
  }
}

function fieldsOf(flat: readonly string[]): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (let index = 0; index + 1 < flat.length; index += 2) fields[flat[index] ?? ''] = flat[index + 1] ?? '';
  return fields;
}
