import { startTimer } from '../../resilience/timer.ts';
import type { OwnRedisClient } from './redis-client.ts';
import { readSlots, type Slot, type SlotMap } from './redis-slots.ts';
import { RedisStore } from './redis-store.ts';

export interface RedisNodesOptions {
  /** Addresses to begin with, as `host:port`. */
  readonly seeds: readonly string[];
  readonly connect: (address: string) => OwnRedisClient;
  /** A master can be used, again or for the first time. */
  readonly onUp: () => void;
  /** No master can be used. */
  readonly onDown: (reason: string) => void;
}

interface Node {
  readonly address: string;
  readonly client: OwnRedisClient;
  readonly store: RedisStore;
  /** Since when it has been connected, and said which server it is. */
  upSince: number | undefined;
  /** A question for the slots that was sent after that has named it as a master. */
  isConfirmed: boolean;
}

/** How often every master is asked whether it is still the same, and one of them for the slots. */
const lookMs = 1_000;

/** A node that leaves a question open for so long is given up, and dialled again. */
const answerMs = 1_000;

/**
 * The connections to the masters of a Redis Cluster. A master is used while it answers, and while the cluster has named
 * it since it was connected: one that comes back from the dead is asked for nothing before that.
 */
export class RedisNodes {
  readonly #options: RedisNodesOptions;
  readonly #nodes = new Map<string, Node>();
  readonly #timer: NodeJS.Timeout;
  #slots: SlotMap | undefined;
  #refreshing: Promise<void> | undefined;
  #isUp = false;
  #closed = false;

  constructor(options: RedisNodesOptions) {
    this.#options = options;
    for (const address of options.seeds) this.#add(address);
    this.#timer = setInterval(() => this.look(), lookMs).unref();
  }

  /** Whether there is a master that can be used. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** `undefined` while it cannot be used. */
  masterOf(slot: Slot): RedisStore | undefined {
    const owner = this.#slots?.owners[slot];
    const node = owner === undefined ? undefined : this.#nodes.get(owner);
    return node?.isConfirmed === true && node.store.life !== undefined ? node.store : undefined;
  }

  /** Learns whose the slots are; with those who ask at the same time. Never rejects. */
  async refresh(): Promise<void> {
    this.#refreshing ??= this.#learn().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  /** Resolves when every master that can be used answers. */
  async ping(): Promise<void> {
    const used = this.#used();
    if (used.length === 0) throw new Error('no master of the Redis Cluster can be used');
    await Promise.all(used.map(({ store }) => store.ping()));
  }

  /** Asks every master whether it is still there, and gives up the connections of those that do not answer. */
  look(): void {
    for (const node of this.#nodes.values()) {
      if (node.upSince === undefined) continue;
      void withinLimit(node.store.look().then(() => true)).then((answered) => {
        if (answered === undefined && this.#nodes.get(node.address) === node) node.store.reconnect();
      });
    }
    void this.refresh();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const address of [...this.#nodes.keys()]) this.#drop(address);
  }

  #used(): readonly Node[] {
    return [...this.#nodes.values()].filter(
      ({ isConfirmed, upSince }) => isConfirmed && upSince !== undefined,
    );
  }

  #add(address: string): void {
    if (this.#nodes.has(address)) return;
    const client = this.#options.connect(address);
    const store = new RedisStore(client, {
      onUp: () => {
        if (this.#nodes.get(address) !== node || node.upSince !== undefined) return;
        node.upSince = performance.now();
        // A question that is under way may have been sent before.
        void this.refresh().then(() => (node.isConfirmed ? undefined : this.refresh()));
      },
      onDown: (reason) => {
        node.upSince = undefined;
        node.isConfirmed = false;
        if (this.#nodes.get(address) === node) this.#changed(reason);
      },
    });
    const node: Node = { address, client, store, upSince: undefined, isConfirmed: false };
    this.#nodes.set(address, node);
  }

  #drop(address: string): void {
    const node = this.#nodes.get(address);
    this.#nodes.delete(address);
    node?.store.close();
  }

  #changed(reason: string): void {
    const isUp = this.#used().length > 0;
    if (this.#closed || isUp === this.#isUp) return;
    this.#isUp = isUp;
    if (!isUp) this.#options.onDown(reason);
  }

  /** Asks those that have been up for longest first: one that has just come back may not know what has happened. */
  async #learn(): Promise<void> {
    const up = [...this.#nodes.values()]
      .filter(({ upSince }) => upSince !== undefined)
      .sort((a, b) => (a.upSince ?? 0) - (b.upSince ?? 0));
    for (const node of up) {
      const askedAt = performance.now();
      const reply = await withinLimit(node.client.call('CLUSTER', 'SLOTS'));
      if (this.#closed) return;
      if (reply === undefined) continue;
      const slots = readSlots(reply, node.address);
      if (slots.masters.length === 0) continue;
      this.#apply(slots, askedAt);
      return;
    }
    // Whoever may know: a replica that is promoted while no master can be reached.
    const known = [...(this.#slots?.masters ?? []), ...(this.#slots?.replicas ?? [])];
    for (const address of [...this.#options.seeds, ...known]) this.#add(address);
  }

  #apply(slots: SlotMap, askedAt: number): void {
    this.#slots = slots;
    const masters = new Set(slots.masters);
    for (const address of masters) this.#add(address);
    let confirmed = 0;
    for (const node of [...this.#nodes.values()]) {
      if (!masters.has(node.address)) this.#drop(node.address);
      else if (!node.isConfirmed && (node.upSince ?? Number.POSITIVE_INFINITY) <= askedAt) {
        node.isConfirmed = true;
        confirmed += 1;
      }
    }
    this.#changed('the Redis Cluster names other masters, none of which is connected');
    if (confirmed > 0) this.#options.onUp();
  }
}

/** `undefined` when there is no answer in time, or an error. */
function withinLimit<T>(answer: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = startTimer(answerMs, () => resolve(undefined)).unref();
    answer.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      () => {
        clearTimeout(timer);
        resolve(undefined);
      },
    );
  });
}
