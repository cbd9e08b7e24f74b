import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RecordTooLarge, StoreRefused } from '../../../src/cache/store.ts';
import { MemcachedConnection } from '../../../src/cache/stores/memcached-connection.ts';
import { memcachedKeyOf } from '../../../src/cache/stores/memcached-key.ts';
import { MemcachedRecords } from '../../../src/cache/stores/memcached-records.ts';
import { MemcachedStore } from '../../../src/cache/stores/memcached-store.ts';
import { MemoryStore } from '../../../src/cache/stores/memory-store.ts';
import { seeded } from '../../consistency/random.ts';
import { eventually, rejection } from '../../support/cluster.ts';
import { hasMemcached, MemcachedServer } from '../../support/memcached-server.ts';
import { describeStore } from '../../support/store-contract.ts';
import { carryOut, randomSteps } from '../../support/store-steps.ts';

const keepMs = 60_000;

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

describe.skipIf(!hasMemcached)('memcached', () => {
  let server: MemcachedServer;
  const stores: MemcachedStore[] = [];

  beforeAll(async () => {
    server = await MemcachedServer.start(['-e', '{folder}/kept', '-o', 'no_lru_crawler']);
  });
  afterAll(async () => {
    for (const store of stores) store.close();
    await server?.stop();
  });

  const connect = (place = server.target, onDown = (_: string): void => {}): MemcachedStore => {
    const store = new MemcachedStore(place, { onUp() {}, onDown });
    stores.push(store);
    return store;
  };
  const isUp = (store: MemcachedStore) =>
    eventually('memcached is connected', () => store.life !== undefined);
  const openStore = async (): Promise<MemcachedStore> => {
    const store = connect();
    await isUp(store);
    return store;
  };
  const eraOf = (store: MemcachedStore): string => `${store.life}.p`;
  const open = (store: MemcachedStore, name: string, lease?: string, ms = keepMs) =>
    store.open(eraOf(store), [
      {
        name,
        gen: randomUUID(),
        lease: lease === undefined ? undefined : { id: lease, ms: 9_000, seenFill: '' },
        keepMs: ms,
      },
    ]);
  const fill = (store: MemcachedStore, name: string, lease: string, payload = Buffer.from('value')) =>
    store.fill(
      eraOf(store),
      { name, lease, fence: '', proof: 'p', proven: '', payload, loadMs: 3, ttlMs: keepMs, keepMs },
      [],
    );
  const complete = (store: MemcachedStore, name: string, id = '') =>
    store.complete(eraOf(store), [{ name, id, gen: randomUUID(), fence: '0-1-2', keepMs }]);

  describeStore('memcached', openStore);

  test('does with records what memory does, whatever comes in whatever order', async () => {
    const [store, memory] = [await openStore(), new MemoryStore()];
    for (let run = 0; run < 150; run += 1) {
      const steps = randomSteps(seeded(run), `same:${randomUUID()}`);
      expect(await carryOut(store, steps), `run ${run}`).toEqual(await carryOut(memory, steps));
    }
  });

  test('is the same in all its connections, and in another life when it is started again', async () => {
    const downs: string[] = [];
    const store = connect(server.target, (reason) => void downs.push(reason));
    await isUp(store);
    const before = store.life;
    expect((await openStore()).life).toBe(before);
    store.reconnect();
    expect(store.life).toBeUndefined();
    await isUp(store);
    expect(store.life).toBe(before);
    await server.process.kill();
    await eventually('its end is noticed', () => store.life === undefined);
    expect(downs.length).toBeGreaterThan(1);
    expect(String(await rejection(store.get(`${before}.p`, ['a'])))).toContain('not connected');
    await server.start();
    await isUp(store);
    expect(store.life).not.toBe(before);
    expect(String(await rejection(store.get(`${before}.p`, ['a'])))).toContain('another life');
  });

  test('is in another life after a warm restart, though it has kept its records', async () => {
    const [store, name] = [await openStore(), `warm:${randomUUID()}`];
    const before = eraOf(store);
    await open(store, name, 'l');
    await fill(store, name, 'l');
    await server.warmRestart();
    await eventually('it is another one', () => store.life !== undefined && eraOf(store) !== before);
    expect(eraOf(store)).not.toBe(before);
    expect((await store.get(eraOf(store), [name]))[0]).toMatchObject({ era: before, filled: { by: 'l' } });
    await open(store, name);
    expect((await store.get(eraOf(store), [name]))[0]?.filled).toBeUndefined();
  });

  test('loses no change when two processes change one record at the same time', async () => {
    const [one, two] = [await openStore(), await openStore()];
    const name = `contended:${randomUUID()}`;
    const both = Array.from({ length: 100 }, (_, index) => ({
      store: index % 2 ? one : two,
      id: `m${index}`,
    }));
    const era = eraOf(one);
    await Promise.all(
      both.map(async ({ store, id }) => {
        await store.mark(era, [{ name, id, gen: id, ms: keepMs, keepMs }]);
        await sleep(Math.random() * 5);
      }),
    );
    for (const [index, { store, id }] of both.entries()) {
      await complete(store, name, id);
      const isPending = (await store.get(era, [name]))[0]?.isPending;
      expect(isPending, `after ${index}`).toBe(index < both.length - 1);
    }
    const opened = await Promise.all(both.map(({ store, id }) => open(store, name, `x.${id}`)));
    expect(opened.filter(([told]) => told?.lease === 'granted')).toHaveLength(1);
    expect(new Set(opened.map(([told]) => told?.gen)).size).toBe(1);
  });

  test('makes one record where two processes make the same one', async () => {
    const both = [await openStore(), await openStore()];
    for (let run = 0; run < 100; run += 1) {
      const name = `made:${randomUUID()}`;
      const opened = await Promise.all(both.map((store, index) => open(store, name, `x.${index}`)));
      const leases = opened.map(([told]) => told?.lease).sort();
      expect(leases).toEqual(['granted', 'held']);
      expect(opened[0]?.[0]?.gen).toBe(opened[1]?.[0]?.gen);
    }
  });

  test('answers nobody from what it has read before he came', async () => {
    const other = await openStore();
    const [era, name] = [eraOf(other), `late:${randomUUID()}`];
    await open(other, name);
    const [opened, reached, passed] = [withResolvers(), withResolvers(), withResolvers()];
    const connection = new MemcachedConnection(server.target, { onOpen: opened.resolve, onEnd() {} });
    await opened.promise;
    const ask = connection.ask.bind(connection);
    connection.ask = async (commands) => {
      const replies = await ask(commands);
      reached.resolve();
      await passed.promise;
      return replies;
    };
    const records = new MemcachedRecords(connection, 1_048_576);
    const genOf = () => records.change(name, 0, (found) => [undefined, found?.gen]);
    const early = genOf();
    await reached.promise;
    await other.complete(era, [{ name, id: '', gen: 'new', fence: '0-1-2', keepMs }]);
    const late = genOf();
    passed.resolve();
    expect(await early).not.toBe('new');
    expect(await late).toBe('new');
    connection.end('the test is over');
  });

  test('gives a connection up on which another server answers all at once', async () => {
    let pid = 0;
    const other = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        pid += 1;
        const time = Math.floor(Date.now() / 1_000);
        const stats = { pid, time, uptime: 9, version: '1.6.18' };
        for (const list of [stats, { cas_enabled: 'yes', item_size_max: 1_048_576 }]) {
          for (const [name, value] of Object.entries(list)) socket.write(`STAT ${name} ${value}\r\n`);
          socket.write('END\r\n');
        }
      });
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { readonly port: number };
    const downs: string[] = [];
    const store = connect({ host: '127.0.0.1', port }, (reason) => void downs.push(reason));
    await isUp(store);
    const before = store.life;
    await store.ping();
    await eventually('it is told', () => downs.length > 0);
    expect(downs).toEqual(['another memcached answers on this connection']);
    await isUp(store);
    expect(store.life).not.toBe(before);
    store.close();
    await new Promise((resolve) => other.close(resolve));
  });

  test('answers many at once, each with its own, however large', async () => {
    const store = await openStore();
    const names = Array.from({ length: 64 }, (_, index) => `many:${index}:${randomUUID()}`);
    const payloadOf = (index: number) => Buffer.alloc(index * 9_973, `${index}\r\nEN O1\r\n`);
    await Promise.all(
      names.map(async (name, index) => {
        await open(store, name, 'l');
        expect(await fill(store, name, 'l', payloadOf(index))).toBe(true);
      }),
    );
    const answers = await Promise.all(names.map((name) => store.get(eraOf(store), [name])));
    for (const [index, [record]] of answers.entries()) {
      expect(record?.filled?.payload.equals(payloadOf(index)), names[index]).toBe(true);
    }
  });

  test('keeps names apart that are no keys for it', async () => {
    const store = await openStore();
    const names = ['a b', 'a\tb', 'ä', 'x'.repeat(251), `${'x'.repeat(250)}y`, '', '\r\nflush_all\r\n'];
    for (const name of [...names, ...names.map(memcachedKeyOf)]) {
      expect(await store.get(eraOf(store), [name]), name).toEqual([undefined]);
      await open(store, name, 'l');
      expect(await fill(store, name, 'l', Buffer.from(name))).toBe(true);
    }
    const seen = await store.get(eraOf(store), names);
    expect(seen.map((record) => record?.filled?.payload.toString())).toEqual(names);
  });

  test('keeps a record at least as long as was ever asked', async () => {
    const [store, name] = [await openStore(), `kept:${randomUUID()}`];
    const leftSeconds = async () => Number(/ t(\d+)/.exec(await server.ask(`mg ${name} t\r\n`))?.[1]);
    await open(store, name, undefined, 100_000);
    expect(await leftSeconds()).toBe(101);
    await open(store, name, 'l', 1_000);
    expect(await leftSeconds()).toBeGreaterThan(99);
    await store.mark(eraOf(store), [{ name, id: 'm', gen: 'g', ms: 1_000, keepMs: 400_000 }]);
    expect(await leftSeconds()).toBeGreaterThan(400);
    await open(store, `${name}:long`, undefined, 10 ** 12);
    expect(await server.ask(`mg ${name}:long t\r\n`)).toContain('t2592000');
  });

  test('refuses a value that is too large for it, and goes on', async () => {
    const [store, name] = [await openStore(), `large:${randomUUID()}`];
    await open(store, name, 'l');
    const filling = rejection(fill(store, name, 'l', Buffer.alloc(1_048_576)));
    const others = Promise.all([
      open(store, name),
      open(store, name, 'other'),
      store.get(eraOf(store), [name]),
    ]);
    expect(await filling).toBeInstanceOf(RecordTooLarge);
    expect((await others)[0][0]?.gen).toBeDefined();
    expect(await fill(store, name, 'l')).toBe(true);
  });

  test('does not know again what was flushed and invalidated', async () => {
    const [store, name] = [await openStore(), `flushed:${randomUUID()}`];
    await open(store, name, 'l');
    await fill(store, name, 'l');
    await server.ask('flush_all\r\n');
    await complete(store, name);
    // Puts off the time of the first one: what nobody has asked for since is there again.
    await server.ask('flush_all 1000\r\n');
    expect(await store.get(eraOf(store), [name])).toEqual([undefined]);
  });

  test('frozen, rejects what was asked when the connection is given up, and is used again afterwards', async () => {
    const store = await openStore();
    const era = eraOf(store);
    await server.process.freeze();
    const asked = [store.get(era, ['a']), open(store, 'a', 'l'), complete(store, 'a'), store.ping()];
    const ends = Promise.allSettled(asked);
    store.reconnect();
    expect((await ends).map(({ status }) => status)).toEqual(asked.map(() => 'rejected'));
    expect(String(await rejection(store.get(era, ['a'])))).toContain('not connected');
    await sleep(2_500);
    expect(store.life).toBeUndefined();
    server.process.thaw();
    await isUp(store);
    expect(eraOf(store)).toBe(era);
    await store.ping();
  });

  test.each([
    ['nothing', ''],
    ['what Redis says', "-ERR unknown command 'stats'\r\n"],
    ['that it has no room for another connection', 'ERROR Too many open connections\r\n'],
    ['what never ends', 'x'.repeat(10_000)],
    ['what is no memcached', 'STAT pid 1\r\nEND\r\nSTAT x y\r\nEND\r\n'],
  ])('is not used where somebody says %s', async (_, says) => {
    const other = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(says));
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { readonly port: number };
    const downs: string[] = [];
    const store = connect({ host: '127.0.0.1', port }, (reason) => void downs.push(reason));
    await eventually('it is told', () => downs.length > 0);
    expect(store.life).toBeUndefined();
    store.close();
    await new Promise((resolve) => other.close(resolve));
  });

  test('is not used without versions of values', async () => {
    const plain = await MemcachedServer.start(['-C']);
    const downs: string[] = [];
    const store = connect(plain.target, (reason) => void downs.push(reason));
    await eventually('it is told', () => downs.length > 0);
    expect(downs[0]).toContain('(-C)');
    store.close();
    await plain.stop();
  });
});

describe.skipIf(!hasMemcached)('a memcached without room', () => {
  test('drops what it cannot invalidate, and says of what else it does not do', async () => {
    // Without eviction.
    const server = await MemcachedServer.start(['-m', '2', '-M']);
    const store = new MemcachedStore(server.target, { onUp() {}, onDown() {} });
    await eventually('memcached is connected', () => store.life !== undefined);
    const era = `${store.life}.p`;
    try {
      // As long as the others, so that they all want the same room.
      const name = 'filler:000000';
      const opening = (at: string) => store.open(era, [{ name: at, gen: 'g', lease: undefined, keepMs }]);
      await opening(name);
      let refused: unknown;
      for (let index = 100_000; refused === undefined; index += 1) {
        await opening(`filler:${index}`).catch((error: unknown) => (refused = error));
      }
      expect(refused).toBeInstanceOf(StoreRefused);
      expect(String(refused)).toContain('out of memory');
      const marking = store.mark(era, [{ name: 'filler:new', id: 'm', gen: 'h', ms: 1_000, keepMs }]);
      expect(String(await rejection(marking))).toContain('out of memory');
      await store.complete(era, [{ name, id: '', gen: 'h', fence: '?', keepMs }]);
      expect(await store.get(era, [name])).toEqual([undefined]);
    } finally {
      store.close();
      await server.stop();
    }
  });
});
