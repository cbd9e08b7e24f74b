import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parsePosition } from '../../../src/consistency/parse-position.ts';
import { TwoWritersError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, recordEvents, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { TcpProxy } from '../pool/tcp-proxy.ts';
import { arrival, insert, longEnough, openWatched, standbyOf, writeTo } from './watched-cluster.ts';

describe.each(labVendors)('on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, replicas: 0, redis: false, semiSync: false });
    await lab.owner().query('CREATE TABLE lab.t (id VARCHAR(40) PRIMARY KEY)');
    await lab.heal();
  });

  afterEach(() => lab.heal());

  afterAll(() => lab.stop());

  describe('an old master that was not fenced', () => {
    test('is told: that it is writable, that it writes, and what of it has arrived', async () => {
      const { db, told, record } = await openWatched(lab);
      const [writable, two, stale] = [
        record('standby:writable'),
        record('two-writers'),
        record('stale-primary:wrote'),
      ];
      const [old, next] = [lab.owner(), standbyOf(lab)];
      const identity = db.status().masters.find(({ name }) => name === old.address)?.server ?? '';
      const before = await positionOf(db, old.address);
      await lab.fault({ kind: 'move-vip', oldConnections: 'silent', fence: false });
      await eventually('the second epoch', () => db.status().primary.epoch === 2);
      await writeTo(old, () => two.length > 0);
      await eventually('all three', () => new Set(told).size === 3);
      expect(writable).toMatchObject([{ master: old.address, server: identity }]);
      expect(two).toMatchObject([
        { evidence: 'positions', servers: [expect.anything(), identity], stopped: false },
      ]);
      expect(two[0]?.positions).toContain(
        vendor === 'mysql' ? identity.slice(-37, -1) : `-${identity.at(-2)}-`,
      );
      expect(stale[0]).toMatchObject({ epoch: 2, server: identity });
      const [positions, after] = [stale[0]?.positions ?? '', stale[0]?.after ?? ''].map((text) =>
        parsePosition(vendor, text),
      );
      expect(after?.contains(parsePosition(vendor, before))).toBe(true);
      expect(after && positions?.subtract(after).isEmpty).toBe(false);
      // Writes go on all the time.
      expect((await db.primary().execute("INSERT INTO t (id) VALUES ('meanwhile')")).epoch).toBe(2);
      await arrival(next, 'meanwhile');
      await longEnough();
      expect(told.filter((name) => name !== 'stale-primary:wrote')).toHaveLength(2);
      const ofOld = db.status().masters.find(({ name }) => name === old.address);
      expect(ofOld).toMatchObject({ primary: false, writable: true, state: 'answers' });
    });
  });

  describe('a standby that was made writable', () => {
    test('is told once, and again after it was closed in between', async () => {
      const { told } = await openWatched(lab);
      const standby = standbyOf(lab);
      await lab.fault({ kind: 'read-only', server: standby.name, on: false });
      await eventually('the event', () => told.length === 1);
      await lab.fault({ kind: 'read-only', server: standby.name, on: true });
      await longEnough();
      expect(told).toEqual(['standby:writable']);
      await lab.fault({ kind: 'read-only', server: standby.name, on: false });
      await eventually('the second event', () => told.length === 2);
      expect(told).toEqual(['standby:writable', 'standby:writable']);
    });

    test('is a second writer only once it writes again and again', async () => {
      const { told } = await openWatched(lab);
      const standby = standbyOf(lab);
      await lab.fault({ kind: 'read-only', server: standby.name, on: false });
      await eventually('the event', () => told.length === 1);
      await insert(standby);
      await longEnough();
      expect(told).toEqual(['standby:writable']);
      await writeTo(standby, () => told.length > 1);
      expect(told).toEqual(['standby:writable', 'two-writers']);
    });
  });

  describe('transactions that the new primary did not have', () => {
    test('are told with their positions when the old one brings them', async () => {
      const { db, told, record } = await openWatched(lab);
      const stale = record('stale-primary:wrote');
      const [old, next] = [lab.owner(), standbyOf(lab)];
      await lab.fault({ kind: 'stop-receiver', server: next.name });
      const after = await positionOf(db, old.address);
      await db.primary().execute("INSERT INTO t (id) VALUES ('orphan')");
      const orphan = await positionOf(db, old.address, after);
      await lab.fault({ kind: 'freeze', server: old.name });
      await lab.fault({ kind: 'failover', gapMs: 100 });
      await eventually('the second epoch', () => db.status().primary.epoch === 2);
      // It comes back to life too late for its silence to be taken for a planned move.
      await eventually('two seconds', () => epochAge(db) > 2_500);
      await lab.fault({ kind: 'thaw', server: old.name });
      await lab.fault({ kind: 'start-receiver', server: next.name });
      await arrival(next, 'orphan');
      await eventually('the event', () => stale.length === 1);
      expect(stale[0]).toMatchObject({ epoch: 2, after });
      const positions = parsePosition(vendor, stale[0]?.positions ?? '');
      expect(parsePosition(vendor, orphan).subtract(parsePosition(vendor, after)).contains(positions)).toBe(
        true,
      );
      await longEnough();
      expect(told).toEqual(['stale-primary:wrote']);
    });
  });

  describe('a VIP that goes there and back within 10 s', () => {
    test('is told, also without masters, and once however often it goes on', async () => {
      const { db, record } = await openWatched(lab, { masters: [] });
      const two = record('two-writers');
      for (const epoch of [2, 3, 4]) {
        await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
        await eventually(`epoch ${epoch}`, () => db.status().primary.epoch === epoch);
      }
      expect(two).toMatchObject([{ evidence: 'vip-turns', positions: undefined, stopped: false }]);
      expect(new Set(two[0]?.servers).size).toBe(2);
    });

    test('is no news behind a proxy', async () => {
      await using proxy = await TcpProxy.start(lab.owner());
      const standby = standbyOf(lab);
      await lab.fault({ kind: 'read-only', server: standby.name, on: false });
      const { db, told } = await openWatched(lab, {
        primary: { host: '127.0.0.1', port: proxy.port, proxied: true },
      });
      const resumed = recordEvents(db, 'primary:resumed');
      const owner = lab.owner();
      for (const [index, target] of [standby, owner].entries()) {
        proxy.target = target;
        proxy.cut();
        await eventually('the resumption', () => resumed.length > index);
        expect(await db.primary().value('SELECT @@server_id')).toBe(target.name === 'a' ? 1 : 2);
      }
      await longEnough();
      expect(told).toEqual([]);
      expect(db.status().masters).toMatchObject([{ state: 'answers' }, { state: 'answers' }]);
    });
  });

  describe("twoWriters: 'stop'", () => {
    test('lets writes wait until the evidence is 10 s old, and reads go on', async () => {
      const { db, record } = await openWatched(lab, {
        failover: { twoWriters: 'stop' },
        timeoutMs: 30_000,
        pool: { max: 1, min: 0 },
      });
      const two = record('two-writers');
      const standby = standbyOf(lab);
      await lab.fault({ kind: 'read-only', server: standby.name, on: false });
      // When it happens, one has the only connection and the other waits for it.
      let enough = false;
      const busy = Promise.allSettled(
        [1, 2].map(async () => {
          while (!enough) await db.primary().execute('DO SLEEP(0.5)');
        }),
      );
      await writeTo(standby, () => two.length > 0);
      enough = true;
      expect(two).toMatchObject([{ evidence: 'positions', stopped: true }]);
      // A look that was under way may have added to it since.
      const why = / wrote .+ while .+ held the VIP/;
      expect(db.status().primary).toMatchObject({ state: 'open', heldBecause: expect.stringMatching(why) });
      const error = await rejection(
        db.primary().execute("INSERT INTO t (id) VALUES ('never')", [], { timeoutMs: 700 }),
      );
      expect(error).toBeInstanceOf(TwoWritersError);
      expect(error).toMatchObject({ code: 'VIPSQL_TWO_WRITERS', outcome: 'not-executed' });
      expect((error as Error).message).toMatch(why);
      expect(await db.primary().value('SELECT 1')).toBe(1);
      expect(await db.replica().value('SELECT 1')).toBe(1);
      const write = db.primary().execute("INSERT INTO t (id) VALUES ('held')");
      await eventually('all wait but the one that had begun', () => {
        const { inUse, waitingForPrimary } = db.status().primary;
        return inUse === 0 && waitingForPrimary >= 2;
      });
      await write;
      const heldMs = performance.now() - (two[0]?.at ?? 0);
      expect(heldMs).toBeGreaterThan(9_900);
      expect(db.status().primary.heldBecause).toBeUndefined();
      expect(await db.primary().query("SELECT id FROM t WHERE id IN ('held', 'never')")).toEqual([
        { id: 'held' },
      ]);
      expect((await busy).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    });

    test('holds the writes that waited for a flapping VIP', async () => {
      const { db, record } = await openWatched(lab, {
        masters: [],
        failover: { twoWriters: 'stop' },
        timeoutMs: 30_000,
      });
      const two = record('two-writers');
      await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
      await eventually('epoch 2', () => db.status().primary.epoch === 2);
      await lab.fault({ kind: 'refuse' });
      await eventually('the interruption', () => db.status().primary.state === 'interrupted');
      const write = db.primary().execute("INSERT INTO t (id) VALUES ('waited')");
      await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
      expect((await write).epoch).toBe(3);
      expect(two).toHaveLength(1);
      expect(performance.now() - (two[0]?.at ?? 0)).toBeGreaterThan(9_900);
    });

    test('does not keep close() from ending', async () => {
      const { db, record } = await openWatched(lab, { masters: [], failover: { twoWriters: 'stop' } });
      const two = record('two-writers');
      for (const epoch of [2, 3]) {
        await lab.fault({ kind: 'move-vip', oldConnections: 'reset' });
        await eventually(`epoch ${epoch}`, () => db.status().primary.epoch === epoch);
      }
      expect(two).toHaveLength(1);
      const write = rejection(db.primary().execute("INSERT INTO t (id) VALUES ('closed')"));
      await db.close({ timeoutMs: 0 });
      expect(await write).toMatchObject({ code: 'VIPSQL_CLOSED' });
    });
  });
});

const openedAt = new WeakMap<object, number>();

/** For how long the epoch of a cluster has been open, as far as this has been asked. */
function epochAge(db: object): number {
  const now = performance.now();
  const since = openedAt.get(db) ?? now;
  openedAt.set(db, since);
  return now - since;
}

/** What a master has begun itself, by the next look; other than `before` where that is given. */
async function positionOf(
  db: { status(): { readonly masters: readonly { name: string; position: string | undefined }[] } },
  master: string,
  before?: string,
): Promise<string> {
  let position: string | undefined;
  await eventually(`the position of ${master}`, () => {
    position = db.status().masters.find(({ name }) => name === master)?.position;
    return position !== undefined && position !== before;
  });
  return position ?? '';
}
