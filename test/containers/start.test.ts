import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { getContainerRuntimeClient } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/cluster.ts';
import { describeContainers } from '../support/container-vendors.ts';
import { withoutContainers } from '../support/without-containers.ts';
import type { ContainerLab } from './container-lab.ts';
import { dial, expectHealthy, logIn, otherOf, ownerName } from './lab-checks.ts';
import { labLabel } from './lab-name.ts';
import { startContainerLab } from './start-container-lab.ts';

/** The names of the labs that have containers. */
async function labsOnThisMachine(): Promise<string[]> {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const containers = await dockerode.listContainers({ all: true, filters: { label: [labLabel] } });
  const networks = await dockerode.listNetworks({ filters: { name: ['vipsql-lab_'] } });
  return [...containers.map(({ Labels }) => Labels[labLabel] ?? ''), ...networks.map(({ Name }) => Name)];
}

describeContainers('a container lab', (vendor) => {
  let lab: ContainerLab;

  beforeAll(async () => {
    lab = await startContainerLab({ vendor });
  });
  afterAll(() => lab?.stop());

  it('has one writable server and replicates to all others', async () => {
    expect(lab.vendor).toBe(vendor);
    expect(lab.version).toMatch(vendor === 'mysql' ? /^9\./ : /^10\.11\..*MariaDB/);
    await expectHealthy(lab);
  });

  it('lets replicas follow the VIP and the masters each other', async () => {
    const sourceOf = async (index: number): Promise<unknown> => {
      const server = [...lab.masters, ...lab.replicas][index];
      const statement = vendor === 'mysql' ? 'SHOW REPLICA STATUS' : 'SHOW SLAVE STATUS';
      const [row] = (await server?.query(statement)) ?? [];
      return row?.Source_Host ?? row?.Master_Host;
    };
    const [a, b] = lab.masters;
    const sources = await Promise.all([0, 1, 2, 3].map(sourceOf));
    expect(sources).toEqual([b.host, a.host, lab.vip.host, lab.vip.host]);
  });

  it('sees the application on another machine, not on loopback', async () => {
    const connection = await logIn(lab);
    const [[row]] = (await connection.query('SELECT USER() AS user')) as unknown as [{ user: string }[]];
    await connection.end();
    expect(row?.user).toMatch(/^app@\d+\.\d+\.\d+\.1$/);
    expect(row?.user).not.toContain('127.');
  });

  it('keeps the application from writing on the standby', async () => {
    const connection = await logIn(lab, lab.server(otherOf(ownerName(lab))).host);
    await expect(connection.query('CREATE TABLE no (id INT)')).rejects.toMatchObject({ errno: 1290 });
    await connection.end();
  });

  it('lets a commit wait until the standby has it', async () => {
    const standby = otherOf(ownerName(lab));
    const connection = await logIn(lab);
    await connection.query('CREATE TABLE waits (id INT PRIMARY KEY)');
    await lab.fault({ kind: 'stop-receiver', server: standby });
    let answered = false;
    const insert = connection.query('INSERT INTO waits VALUES (1)').then(() => {
      answered = true;
    });
    await eventually('the commit waits', async () => {
      const sessions = await lab
        .owner()
        .query<{ state: string }>('SELECT state FROM information_schema.processlist WHERE user = ?', [
          lab.user,
        ]);
      return sessions.some(({ state }) => /semi-sync ACK/i.test(state ?? ''));
    });
    expect(answered).toBe(false);
    await lab.fault({ kind: 'start-receiver', server: standby });
    await insert;
    await connection.end();
  });

  it('has a Redis', async () => {
    const { hostname, port } = new URL(lab.redisUrl ?? '');
    await lab.fault({ kind: 'kill', server: 'redis' });
    expect(await dial(hostname, Number(port))).toBe('ECONNREFUSED');
    await lab.fault({ kind: 'start', server: 'redis' });
    expect(await dial(hostname, Number(port))).toBe('silent');
  });

  it('leaves no container, network or folder when it is stopped', async () => {
    const [name = ''] = readdirSync(tmpdir()).filter((each) => each.startsWith('vipsql-lab_'));
    expect(await labsOnThisMachine()).toContain(name);
    await Promise.all([lab.stop(), lab.stop()]);
    expect(await labsOnThisMachine()).not.toContain(name);
    expect(existsSync(`${tmpdir()}/${name}`)).toBe(false);
    await expect(lab.heal()).rejects.toThrow('the lab is stopped');
  });
});

describe.skipIf(process.env[withoutContainers] !== undefined)('a lab whose process was killed', () => {
  it('is removed by the next start', async () => {
    const program = fileURLToPath(new URL('hold-container-lab.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [name] = (await once(child.stdout, 'data')).map(String);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await labsOnThisMachine()).toContain(name);
    await using lab = await startContainerLab({ vendor: 'mariadb', replicas: 0, redis: false });
    expect(lab.replicas).toEqual([]);
    expect(lab.redisUrl).toBeUndefined();
    expect(await labsOnThisMachine()).not.toContain(name);
  });
});
