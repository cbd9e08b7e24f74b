import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis } from '../../../src/cache/stores/redis-client.ts';
import { RedisStore } from '../../../src/cache/stores/redis-store.ts';
import { type Cluster, InDoubtError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, rejection } from '../../support/cluster.ts';
import { CommitGate } from '../../support/commit-gate.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { TcpProxy } from '../pool/tcp-proxy.ts';
import { Gate, Products } from './products.ts';

describe.each(labVendors)('a cached answer on %s', (vendor) => {
  let lab: Lab;
  let products: Products;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 2, redis: true, semiSync: false });
    products = await Products.create(lab);
  });
  afterEach(() => lab.heal());
  afterAll(() => lab?.stop());

  const stored = (db: Cluster, fills: number) =>
    eventually('it is stored', () => db.status().cache?.fills === fills);

  describe('in a session', () => {
    test('shows what the session has written, invalidated or not', async () => {
      const db = await products.open({ consistency: { waitMs: 50 } });
      const id = await products.add();
      await products.read(db, id);
      await stored(db, 1);
      await products.stopAppliers();
      await db.session(async () => {
        await products.write(db, id, 2);
        // Others go on with what they have: nothing was invalidated.
        expect(await products.cached(db, id).one('SELECT id, n FROM products WHERE id = ?', [id])).toEqual({
          id,
          n: 2,
        });
      });
      expect(db.status().cache).toMatchObject({ hits: 0, misses: 2 });
    });

    test('is a hit when it was loaded with what the session has written', async () => {
      const db = await products.open();
      const id = await products.add();
      await db.session(async () => {
        const { token } = await db.primary().execute('UPDATE products SET n = 2 WHERE id = ?', [id], {
          invalidates: { keys: [products.keyOf(id)] },
        });
        expect(await products.read(db, id)).toBe(2);
        await stored(db, 1);
        const again = products.cached(db, id);
        const select = 'SELECT id, n FROM products WHERE id = ?';
        expect(await again.value('SELECT n FROM products WHERE id = ?', [id], { after: token })).toBe(2);
        expect((await again.one(select, [id], { after: token })).n).toBe(2);
      });
      const other = await products.open();
      expect(await products.read(other, id)).toBe(2);
    });

    test('needs no more than the token asks for', async () => {
      const [db, other] = [await products.open(), await products.open()];
      const id = await products.add();
      const { token } = await db.primary().execute('UPDATE products SET n = 2 WHERE id = ?', [id], {
        invalidates: { keys: [products.keyOf(id)] },
      });
      expect(await products.read(db, id)).toBe(2);
      await stored(db, 1);
      const handle = products.cached(other, id);
      const read = () => handle.one('SELECT id, n FROM products WHERE id = ?', [id], { after: token });
      expect((await read()).n).toBe(2);
      expect(other.status().cache?.hits).toBe(1);
    });

    test('is not taken from a load that has not seen what the session has written', async () => {
      const db = await products.open();
      const id = await products.add();
      const gate = new Gate();
      const read = (held?: Gate) =>
        db.cache.read(products.keyOf(id), async (source) => {
          const n = await source.replica().value<number>('SELECT n FROM products WHERE id = ?', [id]);
          await held?.pass();
          return n;
        });
      const early = read(gate);
      await gate.reached;
      const late = db.session(async () => {
        await products.write(db, id, 2);
        const joined = read();
        gate.open();
        return await joined;
      });
      expect(await Promise.all([early, late])).toEqual([1, 2]);
    });
  });

  describe('when nobody hears what became of a commit', () => {
    test('is not older than it', async () => {
      const proxy = await TcpProxy.start(lab.vip);
      const gate = new CommitGate(proxy);
      const [reader, writer] = [await products.open(), await products.open({ primary: proxy.address })];
      try {
        const id = await products.add();
        await products.read(reader, id);
        gate.steal(() => 'answer');
        const error = await rejection(
          writer.transaction(async (tx) => {
            tx.invalidates({ keys: [products.keyOf(id)] });
            await tx.execute('UPDATE products SET n = 2 WHERE id = ?', [id]);
          }),
        );
        expect(error).toBeInstanceOf(InDoubtError);
        for (let again = 0; again < 3; again += 1) expect(await products.read(reader, id)).toBe(2);
        expect(reader.status().cache).toMatchObject({ hits: 0, rejectedFills: { 'no-lease': 3 } });
      } finally {
        gate.open();
        await writer.close({ timeoutMs: 0 });
        await proxy.stop();
      }
    });

    test('is never older than the commit of a process that died right after it', async () => {
      const [reader, writer] = [await products.open(), await products.open()];
      const id = await products.add();
      await products.read(reader, id);
      await stored(reader, 1);
      expect(await products.read(reader, id)).toBe(1);
      const store = new RedisStore(connectRedis(lab.redisUrl ?? ''), { onUp() {}, onDown() {} });
      try {
        await eventually('Redis is connected', () => store.life !== undefined);
        const name = `vipsql:main:e:${products.keyOf(id)}`;
        const era = (await store.get(`${store.life}.`, [name]))[0]?.era ?? '';
        // All that is left of it: its mark, and its commit.
        await store.mark(era, [{ name, id: 'dead', gen: 'g', ms: 500, keepMs: 60_000 }]);
        await products.write(writer, id, 2);
        expect(await products.read(reader, id)).toBe(2);
        await products.stopAppliers();
        await products.write(writer, id, 3);
        await eventually('the mark has ended, and a value is stored', async () => {
          expect(await products.read(reader, id)).toBe(3);
          return reader.status().cache?.fills === 2;
        });
        expect(await products.read(reader, id)).toBe(3);
      } finally {
        store.close();
      }
    });
  });

  test('of an earlier primary is not served by the next one', async () => {
    const [reader, writer] = [await products.open(), await products.open()];
    const id = await products.add();
    await products.read(reader, id);
    await stored(reader, 1);
    const { epoch } = reader.status().primary;
    await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
    await eventually('the next one is found', () =>
      [reader, writer].every((db) => (db.status().primary.epoch ?? 0) > (epoch ?? 0)),
    );
    await writer.primary().execute('UPDATE products SET n = 2 WHERE id = ?', [id], {
      invalidates: { keys: [products.keyOf(id)] },
    });
    expect(await products.read(reader, id)).toBe(2);
    await stored(reader, 2);
    expect(await products.read(reader, id)).toBe(2);
    expect(reader.status().cache?.hits).toBe(1);
  });
});
