import type {
  CacheStore,
  CompleteOrder,
  Era,
  FillOrder,
  MarkOrder,
  Opened,
  OpenOrder,
  ReleaseOrder,
  SeenRecord,
  SettleOrder,
  StoreListener,
} from '../store.ts';
import { BatchedGets } from './batched-gets.ts';
import { MasterLease } from './master-lease.ts';
import { readRecord } from './record-text.ts';
import { connectSentinels, type OwnRedisClient } from './redis-client.ts';

/** What a connection has learnt of its server. */
interface ServerLife {
  /** Its `run_id` and its `master_replid`: a master that was a replica in between has another history. */
  readonly history: string;
  /** Of the server's clock, by `performance.now()`. */
  readonly offsetMs: number;
}

/** A server that has accepted a connection and says nothing for so long is given up. */
const longestIntroductionMs = 3_000;

/** Asked again after this when a server that has just answered does not say which one it is. */
const introductionPauseMs = 200;

/** No argument: keep what is there. */
const unchanged = '=';

/** Keeps records in one Redis, or in the master that Sentinels name. */
export class RedisStore implements CacheStore {
  readonly #client: OwnRedisClient;
  readonly #listener: StoreListener;
  readonly #gets: BatchedGets<SeenRecord>;
  /** Where Sentinels name the master. */
  readonly #lease: MasterLease | undefined;
  #server: ServerLife | undefined;
  /** Rises with each connection that ends. */
  #connection = 0;
  #closed = false;
  /** The end of an introduction that takes too long. */
  #limit: NodeJS.Timeout | undefined;

  constructor(client: OwnRedisClient, listener: StoreListener) {
    this.#client = client;
    this.#listener = listener;
    this.#gets = new BatchedGets(async (names) => {
      const raw =
        names.length === 1 ? [await client.getBuffer(names[0] ?? '')] : await client.mgetBuffer(names);
      return raw.map(seenIn);
    });
    const sentinels = connectSentinels(client);
    if (sentinels.length > 0) {
      this.#lease = new MasterLease({
        sentinels,
        name: client.options.name ?? '',
        onOther: () => this.reconnect(),
        onChange: (isHeld) => {
          if (isHeld) listener.onUp();
          else listener.onDown('too few Sentinels say which Redis is the master');
        },
      });
    }
    client.on('connect', () => {
      clearTimeout(this.#limit);
      this.#limit = setTimeout(() => this.reconnect(), longestIntroductionMs).unref();
    });
    client.on('ready', () => void this.#introduce(this.#connection));
    client.on('close', () => this.#lost('the connection to Redis was closed'));
    client.on('error', ({ message }) => this.#lost(message));
  }

  get life(): string | undefined {
    return this.#lease?.isHeld === false ? undefined : this.#server?.history;
  }

  now(): number {
    return performance.now() + (this.#server?.offsetMs ?? 0);
  }

  async get(era: Era, names: readonly string[]): Promise<readonly (SeenRecord | undefined)[]> {
    this.#check(era);
    return this.#gets.get(names);
  }

  /** In a question of its own: what is asked together in a Redis Cluster fails together when a slot has moved. */
  async getAlone(era: Era, name: string): Promise<SeenRecord | undefined> {
    this.#check(era);
    return seenIn(await this.#client.getBuffer(name));
  }

  async open(era: Era, orders: readonly OpenOrder[]): Promise<readonly Opened[]> {
    this.#check(era);
    const replies = orders.map(({ name, gen, lease, keepMs }) =>
      this.#client.vipsqlOpen(name, era, gen, lease?.id ?? '', lease?.ms ?? 0, lease?.seenFill ?? '', keepMs),
    );
    return (await Promise.all(replies)).map((reply) => {
      const [gen = '', fence = '', isPending, lease, heldMs] = reply as readonly string[];
      return {
        gen,
        fence,
        isPending: isPending === '1',
        lease: lease as Opened['lease'],
        heldMs: Number(heldMs),
      };
    });
  }

  async fill(era: Era, order: FillOrder, tags: readonly SettleOrder[]): Promise<boolean> {
    this.#check(era);
    const { name, lease, fence = unchanged, proof, proven, loadMs, ttlMs, keepMs, payload } = order;
    const settled = tags.map((tag) => this.#client.vipsqlSettle(tag.name, era, tag.gen, tag.fence));
    const args = [lease, fence, proof, proven, loadMs, Math.ceil(ttlMs), Math.ceil(keepMs), payload] as const;
    const [reply] = await Promise.all([this.#client.vipsqlFill(name, era, '', ...args), ...settled]);
    return reply === '1';
  }

  async release(era: Era, { name, lease }: ReleaseOrder): Promise<void> {
    this.#check(era);
    await this.#client.vipsqlRelease(name, era, '', lease);
  }

  /** A part of {@link fill}, for a tag that is kept elsewhere than the entry. */
  async settle(era: Era, { name, gen, fence }: SettleOrder): Promise<void> {
    this.#check(era);
    await this.#client.vipsqlSettle(name, era, gen, fence);
  }

  async mark(era: Era, orders: readonly MarkOrder[]): Promise<void> {
    this.#check(era);
    await Promise.all(
      orders.map(({ name, gen, id, ms, keepMs }) =>
        this.#client.vipsqlMark(name, era, gen, id, Math.ceil(ms), Math.ceil(keepMs)),
      ),
    );
  }

  async complete(era: Era, orders: readonly CompleteOrder[]): Promise<void> {
    this.#check(era);
    await Promise.all(
      orders.map(({ name, gen, id, fence = unchanged, keepMs }) =>
        this.#client.vipsqlComplete(name, era, gen, id, fence, Math.ceil(keepMs)),
      ),
    );
    if (this.#lease === undefined) return;
    // Another master may have been promoted meanwhile, which does not know of it.
    await this.#lease.confirm();
    this.#check(era);
  }

  async ping(): Promise<void> {
    await this.#client.ping();
  }

  reconnect(): void {
    if (this.#closed) return;
    // A server that stands still does not close its end for a while.
    this.#lost('Redis does not answer');
    this.#client.disconnect(true);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#limit);
    this.#server = undefined;
    this.#lease?.close();
    this.#client.disconnect();
  }

  /** Asks the server again who it is, if it is connected: one that was a replica in between has begun another life. */
  async look(): Promise<void> {
    if (this.#server !== undefined) await this.#introduce(this.#connection);
  }

  /**
   * Commands go out on the connection that is there now. If that is one to another server than the caller has in mind,
   * what it says must not be believed.
   */
  #check(era: Era): void {
    const { life } = this;
    if (life === undefined) throw new Error('Redis is not connected');
    if (!era.startsWith(`${life}.`)) throw new Error('the connection to Redis leads to another server now');
  }

  /** Which server answers, in which of its lives, and what its clock says. */
  async #introduce(connection: number): Promise<void> {
    try {
      const [info, replication] = await Promise.all([
        this.#client.info('server'),
        this.#client.info('replication'),
      ]);
      const runId = fieldOf(info, 'run_id');
      const replicationId = fieldOf(replication, 'master_replid');
      const clockMs = Number(fieldOf(info, 'server_time_usec')) / 1_000;
      if (connection !== this.#connection || this.#closed) return;
      if (runId === undefined || replicationId === undefined || !Number.isFinite(clockMs)) {
        throw new Error('INFO does not name the run_id, the master_replid and the time');
      }
      const offsetMs = clockMs - performance.now();
      await this.#lease?.take({ runId, address: addressOf(this.#client) });
      if (connection !== this.#connection || this.#closed) return;
      this.#server = { history: `${runId}-${replicationId}`, offsetMs };
      clearTimeout(this.#limit);
      this.#listener.onUp();
    } catch (error) {
      if (connection !== this.#connection || this.#closed) return;
      this.#listener.onDown(`nobody says which Redis this is: ${String(error)}`);
      setTimeout(() => {
        if (connection === this.#connection && !this.#closed) void this.#introduce(connection);
      }, introductionPauseMs).unref();
    }
  }

  #lost(reason: string): void {
    // Nothing that was asked of this connection goes out on the next one.
    this.#gets.cut();
    clearTimeout(this.#limit);
    this.#connection += 1;
    this.#server = undefined;
    this.#lease?.drop();
    if (!this.#closed) this.#listener.onDown(reason);
  }
}

function seenIn(bytes: Buffer | null): SeenRecord | undefined {
  return bytes === null ? undefined : readRecord(bytes);
}

function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
}

/** The other end of its connection. */
function addressOf({ stream }: OwnRedisClient): string {
  return `${stream?.remoteAddress?.replace(/^::ffff:/, '') ?? ''}:${stream?.remotePort ?? ''}`;
}
