import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NoReplicaError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import {
  eventually,
  openCluster,
  openServing,
  recordEvents,
  rejection,
  sleep,
} from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { delay, idOf, keepWriting, lagOf, limits, readersOf, stateOf } from './lag-lab.ts';

describe.each(labVendors)('lag by the replication status on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, redis: false, replicas: 2 });
    await lab.owner().query('CREATE TABLE lab.beats (id INT PRIMARY KEY, n INT NOT NULL)');
    await lab.owner().query('INSERT INTO lab.beats VALUES (1, 0)');
  });
  afterEach(() => lab.heal());
  afterAll(() => lab.stop());

  const [r1, r2] = [() => lab.server('r1'), () => lab.server('r2')];

  test.each(['applier', 'receiver'] as const)(
    'a stopped %s: out within the limit, and back',
    async (part) => {
      const db = await openServing(lab, { lag: limits });
      const lagging = recordEvents(db, 'replica:lagging');
      const caughtUp = recordEvents(db, 'replica:caught-up');
      await eventually('lag is known', () => lagOf(db, r1()) === 0 && lagOf(db, r2()) === 0);

      const stoppedAt = performance.now();
      await lab.fault({ kind: `stop-${part}`, server: 'r1' });
      await eventually('it is unknown', () => lagOf(db, r1()) === undefined);
      await eventually('it is put aside', () => lagging.length > 0);
      expect((lagging[0]?.at ?? 0) - stoppedAt).toBeLessThan(limits.maxLagMs + 2_000);
      expect(lagging[0]).toMatchObject({
        replica: r1().address,
        lagMs: undefined,
        maxLagMs: limits.maxLagMs,
      });
      expect(lagging[0]?.reason).toMatch(part === 'applier' ? /applier has stopped/ : /not connected/);
      expect(stateOf(db, r1())).toBe('lagging');
      expect(await readersOf(db)).toEqual(new Set([await idOf(r2())]));

      await lab.fault({ kind: `start-${part}`, server: 'r1' });
      await eventually('it is back', () => caughtUp.length > 0);
      expect(stateOf(db, r1())).toBe('serving');
      expect(lagging).toHaveLength(1);
      expect(caughtUp).toHaveLength(1);
    },
  );

  test('an applier that stands still when the process starts', async () => {
    await lab.fault({ kind: 'stop-applier', server: 'r1' });
    const db = openCluster(lab, { lag: limits });
    const lagging = recordEvents(db, 'replica:lagging');
    const fallback = recordEvents(db, 'fallback:started');
    expect(await readersOf(db)).toEqual(new Set([await idOf(r2())]));
    await eventually('it is told', () => lagging.length === 1);
    expect(lagging[0]?.reason).toMatch(/lag is unknown.*applier has stopped/);
    expect(fallback).toEqual([]);
  });

  test('a delayed replica', async () => {
    const db = await openServing(lab, { lag: limits });
    const lagging = recordEvents(db, 'replica:lagging');
    const writing = keepWriting(() => db.primary().execute('UPDATE beats SET n = n + 1'), 100);
    try {
      await delay(vendor, r1(), 6);
      await eventually('it is put aside', () => lagging.length > 0, 20_000);
      await eventually('its lag is known', () => (lagOf(db, r1()) ?? 0) >= 3_000, 20_000);
      expect(stateOf(db, r1())).toBe('lagging');
      expect(stateOf(db, r2())).toBe('serving');
    } finally {
      await delay(vendor, r1(), 0);
      await writing.stop();
    }
    await eventually('it is back', () => stateOf(db, r1()) === 'serving', 20_000);
  });

  test('all of them: the primary under its cap, and back', async () => {
    const db = await openServing(lab, { lag: limits });
    const started = recordEvents(db, 'fallback:started');
    const ended = recordEvents(db, 'fallback:ended');
    await Promise.all((['r1', 'r2'] as const).map((server) => lab.fault({ kind: 'stop-applier', server })));
    await eventually('none serves', () => db.status().replicas.every(({ state }) => state === 'lagging'));
    expect(await readersOf(db)).toEqual(new Set([await idOf(lab.owner())]));
    expect(started).toHaveLength(1);
    expect(started[0]?.reason).toMatch(/applier has stopped/);
    await lab.heal();
    await eventually('the fallback ends', () => ended.length > 0);
  });

  test('the limit of a call, on a cluster without one', async () => {
    const db = await openServing(lab);
    const fallback = recordEvents(db, 'fallback:started');
    expect(lagOf(db, r1())).toBeUndefined();
    const replicas = new Set([await idOf(r1()), await idOf(r2())]);
    for (const id of await readersOf(db, { maxLagMs: 5_000 })) expect(replicas).toContain(id);
    expect(lagOf(db, r1())).toBe(0);

    await lab.fault({ kind: 'stop-applier', server: 'r1' });
    await lab.fault({ kind: 'stop-applier', server: 'r2' });
    await sleep(2_500);
    expect(db.status().consistency.tooOld).toBe(0);
    expect(await readersOf(db, { maxLagMs: 2_000 }, 5)).toEqual(new Set([await idOf(lab.owner())]));
    expect(db.status().consistency.tooOld).toBe(5);
    const inSession = await db.session(() => readersOf(db, { maxLagMs: 2_000 }, 1));
    expect(inSession).toEqual(new Set([await idOf(lab.owner())]));
    for (const id of await readersOf(db)) expect(replicas).toContain(id);
    for (const id of await readersOf(db, { maxLagMs: 3_600_000 })) expect(replicas).toContain(id);
    expect(fallback).toEqual([]);

    const strict = await openServing(lab, { fallback: 'error' });
    const error = await rejection(strict.replica({ maxLagMs: 2_000 }).query('SELECT 1'));
    expect(error).toBeInstanceOf(NoReplicaError);
    expect(String(error)).toMatch(/at most 2000 ms old .*its lag is unknown, since its applier has stopped/);
  });

  test('the primary at its own address has none', async () => {
    const db = openCluster(lab, {
      lag: limits,
      replicas: [lab.owner().address, r1().address],
    });
    const unavailable = recordEvents(db, 'lag:unavailable');
    await eventually('both are known', () => lagOf(db, lab.owner()) === 0 && lagOf(db, r1()) === 0);
    expect(await readersOf(db)).toEqual(new Set([await idOf(r1())]));
    expect(unavailable).toEqual([]);
  });

  test('an account that may not ask: told once, with the GRANT', async () => {
    await lab.owner().query("CREATE USER IF NOT EXISTS 'plain'@'%' IDENTIFIED BY 'plain-secret'");
    await lab.owner().query("GRANT SELECT ON lab.* TO 'plain'@'%'");
    await lab.heal();
    const db = openCluster(lab, { lag: limits, replica: { user: 'plain', password: 'plain-secret' } });
    const unavailable = recordEvents(db, 'lag:unavailable');
    const id = await idOf(lab.owner());
    expect(await readersOf(db)).toEqual(new Set([id]));
    await sleep(1_000);
    expect(unavailable.map(({ server }) => server).sort()).toEqual([r1().address, r2().address].sort());
    const privilege = vendor === 'mysql' ? 'REPLICATION CLIENT' : 'SLAVE MONITOR';
    expect(unavailable[0]?.remedy).toContain(`GRANT ${privilege} ON *.*`);

    await lab.owner().query(`GRANT ${privilege} ON *.* TO 'plain'@'%'`);
    await eventually(
      'they serve',
      () => db.status().replicas.every(({ state }) => state === 'serving'),
      15_000,
    );
    expect(await readersOf(db)).not.toContain(id);
    await lab.owner().query("DROP USER 'plain'@'%'");
  });

  test('a failover in the middle: the replicas stay, or come back', async () => {
    const db = await openServing(lab, { lag: limits });
    const unavailable = recordEvents(db, 'lag:unavailable');
    await lab.fault({ kind: 'failover' });
    await db.primary().execute('UPDATE beats SET n = n + 1');
    await eventually('both serve with no lag', () =>
      db.status().replicas.every(({ state, lagMs }) => state === 'serving' && lagMs === 0),
    );
    expect(await readersOf(db)).not.toContain(await idOf(lab.owner()));
    expect(unavailable).toEqual([]);
  });
});

describe.each(labVendors)('on %s', (vendor) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ vendor, redis: false, replicas: 1 });
  });
  afterAll(() => lab.stop());

  test('a server that replicates from nobody is told once, and takes no reads', async () => {
    const words = vendor === 'mysql' ? 'REPLICA' : 'SLAVE';
    await lab.server('r1').query(`STOP ${words}`);
    await lab.server('r1').query(`RESET ${words} ALL`);
    const db = openCluster(lab, { lag: limits });
    const unavailable = recordEvents(db, 'lag:unavailable');
    expect(await readersOf(db, {}, 1)).toEqual(new Set([await idOf(lab.owner())]));
    await sleep(4 * limits.intervalMs);
    expect(unavailable).toHaveLength(1);
    expect(unavailable[0]).toMatchObject({ server: lab.server('r1').address });
    expect(unavailable[0]?.reason).toMatch(/replicates from nobody/);
  });
});
