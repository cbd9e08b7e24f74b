import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { QueueFullError } from '../../../src/errors/errors.ts';
import { Deadline } from '../../../src/resilience/deadline.ts';
import { Failed } from '../../../src/resilience/failed.ts';
import type { Lab } from '../../../src/testing/index.ts';
import { startLab } from '../../../src/testing/index.ts';
import { eventually, rejection, sleep } from '../../support/cluster.ts';
import { firstValue, openReads, type ReadCluster, readUnderLoad } from './read-cluster.ts';

describe('reads on a replica', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await startLab({ redis: false });
    await lab.owner().query('CREATE TABLE lab.thing (id INT PRIMARY KEY)');
    await lab.heal();
  });
  afterEach(async () => {
    await lab.heal();
  });
  afterAll(async () => {
    await lab.stop();
  });

  function onlyR1(): { replicas: string[]; fallback: 'error' } {
    return { replicas: [lab.server('r1').address], fallback: 'error' };
  }

  async function serves(cluster: ReadCluster): Promise<void> {
    await eventually('a replica serves', () => cluster.set.candidates.length > 0);
  }

  it('cannot write: the server is read-only', async () => {
    const cluster = openReads(lab, onlyR1());
    const error = await rejection(cluster.value('INSERT INTO lab.thing VALUES (1)'));
    expect(error).toBeInstanceOf(Failed);
    expect((error as Failed).failure).toMatchObject({ kind: 'replica-read-only', errno: 1290 });
  });

  it('cannot write with an account that read_only does not stop: the session is READ ONLY too', async ({
    skip,
  }) => {
    skip(lab.vendor === 'mysql', 'super_read_only stops every account');
    const cluster = openReads(lab, {
      ...onlyR1(),
      replica: { user: lab.admin.user, password: lab.admin.password },
    });
    const error = await rejection(cluster.value('INSERT INTO lab.thing VALUES (1)'));
    expect(error).toBeInstanceOf(Failed);
    expect((error as Failed).failure).toMatchObject({ kind: 'replica-read-only', errno: 1792 });
  });

  it('are killed on the server when their time is up', async () => {
    const cluster = openReads(lab, onlyR1());
    await serves(cluster);
    const error = await rejection(
      cluster.value('SELECT COUNT(*) FROM (SELECT SLEEP(20)) AS late', { timeoutMs: 500 }),
    );
    expect((error as Failed).failure).toMatchObject({ kind: 'timeout' });
    const running = await lab
      .server('r1')
      .query("SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT COUNT%SLEEP(20)%'");
    expect(running).toEqual([]);
  });

  it('take a replica that does not answer in time out of service, until the probe is answered again', async () => {
    const cluster = openReads(lab, {
      breaker: { minimumReads: 4, errorRate: 0.5, resetMs: 300 },
      monitor: { intervalMs: 100 },
    });
    await eventually('both serve', () => cluster.set.candidates.length === 2);
    const down = cluster.record('replica:down');
    const up = cluster.record('replica:up');
    const [r1, r2] = cluster.set.candidates;
    const late = Array.from({ length: 6 }, async () => {
      const deadline = new Deadline(200);
      return await rejection(
        r1?.read(deadline, (c) =>
          firstValue(c, 'SELECT COUNT(*) FROM (SELECT SLEEP(5)) AS late', deadline),
        ) ?? r1Missing(),
      );
    });
    await Promise.all(late);
    expect(down).toEqual([{ replica: r1?.name, reason: 'too many of its reads failed' }]);
    expect(cluster.set.candidates).toEqual([r2]);
    const ids = await Promise.all(Array.from({ length: 20 }, () => cluster.value('SELECT @@server_id')));
    expect(new Set(ids)).toEqual(new Set([4]));
    await eventually('it serves again', () => cluster.set.candidates.length === 2, 2_000);
    expect(up.at(-1)?.downMs).toBeGreaterThanOrEqual(299);
  });

  it('do not take a replica out of service by errors of their statements', async () => {
    const cluster = openReads(lab, { ...onlyR1(), breaker: { minimumReads: 2, errorRate: 0.1 } });
    const down = cluster.record('replica:down');
    for (let i = 0; i < 20; i += 1) {
      const error = await rejection(cluster.value('SELECT * FROM lab.missing'));
      expect((error as Failed).failure).toMatchObject({ kind: 'sql', errno: 1146 });
    }
    expect(down).toEqual([]);
  });

  it('do not take a replica out of service by waiting for its few connections', async () => {
    const cluster = openReads(lab, {
      ...onlyR1(),
      pool: { max: 1, min: 1 },
      breaker: { minimumReads: 2, errorRate: 0.1 },
    });
    const down = cluster.record('replica:down');
    await serves(cluster);
    const long = cluster.value('SELECT SLEEP(1)');
    await sleep(50);
    const errors = await Promise.all(
      Array.from({ length: 20 }, () => rejection(cluster.value('SELECT 1', { timeoutMs: 200 }))),
    );
    for (const error of errors) {
      expect((error as Failed).failure).toMatchObject({ kind: 'timeout', phase: 'connection' });
    }
    await long;
    expect(down).toEqual([]);
  });

  it('leave a long query alone while the server answers the monitor', async () => {
    const cluster = openReads(lab, onlyR1());
    const down = cluster.record('replica:down');
    expect(await cluster.value('SELECT SLEEP(3)')).toBe(0);
    expect(down).toEqual([]);
  });

  it('go to another replica when the queue of the first is full', async () => {
    const cluster = openReads(lab, {
      pool: { max: 2, min: 2, maxWaiting: 0 },
      balance: { policy: 'random' },
      fallback: 'error',
    });
    await eventually('all connections are open', () => cluster.set.status().every(({ open }) => open === 2));
    const four = Array.from({ length: 4 }, () => cluster.value('SELECT SLEEP(0.3)'));
    await sleep(100);
    expect(await rejection(cluster.value('SELECT 1'))).toBeInstanceOf(QueueFullError);
    expect(await Promise.all(four)).toEqual([0, 0, 0, 0]);
  });

  it('are tried on another replica when somebody kills their connection', async () => {
    const cluster = openReads(lab);
    await eventually('both serve', () => cluster.set.candidates.length === 2);
    const down = cluster.record('replica:down');
    const kill = async (): Promise<void> => {
      for (let i = 0; i < 10; i += 1) {
        await sleep(50);
        const rows = await lab
          .server('r1')
          .query<{ id: number }>('SELECT id FROM information_schema.processlist WHERE user = ?', [lab.user]);
        for (const { id } of rows)
          await lab
            .server('r1')
            .query(`KILL ${id}`)
            .catch(() => {});
      }
    };
    const { failures } = await readUnderLoad(cluster, 16, kill());
    expect(failures).toEqual([]);
    expect(down.filter(({ reason }) => !reason.includes('reads failed'))).toEqual([]);
  });
});

function r1Missing(): never {
  throw new Error('r1 is no candidate');
}
