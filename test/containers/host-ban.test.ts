import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LabServer } from '../../src/testing/index.ts';
import { eventually, openCluster, recordEvents, rejection } from '../support/cluster.ts';
import { describeContainers } from '../support/container-vendors.ts';
import type { ContainerLab } from './container-lab.ts';
import { logIn, otherOf, ownerName } from './lab-checks.ts';
import { startContainerLab } from './start-container-lab.ts';

const freezeMs = 12_000;

describeContainers('servers that resolve names and ban a host after 100 broken handshakes', (vendor) => {
  let lab: ContainerLab;

  beforeAll(async () => {
    lab = await startContainerLab({ vendor, replicas: 1, redis: false, nameResolve: true });
  });

  afterAll(() => lab.stop());

  it('do not ban the application, however long they are frozen', async () => {
    const [replica] = lab.replicas;
    if (replica === undefined) throw new Error('the lab has no replica');
    const owner = ownerName(lab);
    await lab.owner().query(`CREATE TABLE ${lab.database}.t (id INT PRIMARY KEY AUTO_INCREMENT)`);
    await lab.heal();
    const db = openCluster(lab, { timeoutMs: 2_000 });
    const blocked = recordEvents(db, 'host:blocked');
    await db.ready();
    // The address stays where it is, whatever becomes of the server.
    await lab.fault({ kind: 'stop-keepalived', server: otherOf(owner) });
    await lab.fault({ kind: 'kill-keepalived', server: owner });

    let stop = false;
    const load = Array.from({ length: 4 }, async () => {
      while (!stop) {
        await db
          .primary()
          .execute('INSERT INTO t () VALUES ()')
          .catch(() => {});
        await db
          .replica()
          .query('SELECT COUNT(*) FROM t')
          .catch(() => {});
        await sleep(50);
      }
    });
    try {
      for (let round = 0; round < 2; round += 1) {
        for (const server of [owner, replica.name]) await lab.fault({ kind: 'freeze', server });
        await sleep(freezeMs);
        for (const server of [owner, replica.name]) await lab.fault({ kind: 'thaw', server });
        await eventually(
          'a write',
          () => succeeds(db.primary().execute('INSERT INTO t () VALUES ()')),
          20_000,
        );
        await eventually(
          'the replica',
          () => db.status().replicas.every(({ state }) => state === 'serving'),
          20_000,
        );
      }
    } finally {
      stop = true;
      await Promise.all(load);
    }
    expect(blocked).toEqual([]);
    await (await logIn(lab)).end();
    await (await logIn(lab, replica.host)).end();

    // Otherwise the above would prove nothing.
    for (let dials = 0; dials < 110; dials += 1) await breakGreeting(replica);
    expect(await rejection(logIn(lab, replica.host))).toMatchObject({ errno: 1129 });
  }, 180_000);
});

function succeeds(operation: Promise<unknown>): Promise<boolean> {
  return operation.then(
    () => true,
    () => false,
  );
}

async function breakGreeting({ host, port }: LabServer): Promise<void> {
  const socket = connect({ host, port });
  await once(socket, 'data');
  socket.destroy();
}
