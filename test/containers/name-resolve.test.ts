import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeContainers } from '../support/container-vendors.ts';
import type { ContainerLab } from './container-lab.ts';
import { logIn } from './lab-checks.ts';
import { startContainerLab } from './start-container-lab.ts';

/** Takes the greeting and hangs up. */
function breakOff(host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: 3306 });
    socket.once('data', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

describeContainers('a container lab that looks names up', (vendor) => {
  let lab: ContainerLab;

  beforeAll(async () => {
    lab = await startContainerLab({ vendor, replicas: 1, redis: false, nameResolve: true });
  });
  afterAll(() => lab?.stop());

  it('bans a host that has broken off a hundred greetings, and only there', async () => {
    const host = lab.replicas[0]?.host ?? '';
    const [limits] =
      (await lab.replicas[0]?.query(
        'SELECT @@GLOBAL.max_connect_errors AS errors, @@GLOBAL.skip_name_resolve AS skip',
      )) ?? [];
    expect(limits).toMatchObject({ errors: 100, skip: 0 });
    for (let count = 0; count < 105; count += 1) await breakOff(host).catch(() => {});
    await expect(logIn(lab, host)).rejects.toMatchObject({ errno: 1129 });
    const connection = await logIn(lab);
    await connection.end();
  });
});
