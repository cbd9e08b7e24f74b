import { connect } from 'node:net';
import { type Connection, createConnection } from 'mysql2/promise';
import { expect, onTestFailed, type TestContext } from 'vitest';
import type { LabServer, MasterName } from '../../src/testing/index.ts';
import { eventually } from '../support/cluster.ts';
import type { ContainerLab } from './container-lab.ts';

let rows = 0;

/** A connection of the application's account; the VIP by default. */
export function logIn(lab: ContainerLab, host = lab.vip.host): Promise<Connection> {
  const { user, password, database } = lab;
  return createConnection({ host, user, password, database, connectTimeout: 2_000 });
}

/** The other master. */
export function otherOf(name: MasterName): MasterName {
  return name === 'a' ? 'b' : 'a';
}

/** Which master this process reaches at the VIP. */
export function ownerName(lab: ContainerLab): MasterName {
  return lab.owner().name === 'a' ? 'a' : 'b';
}

/** Demands one writable server, at which the application writes through the VIP, and that everybody gets the row. */
export async function expectHealthy(lab: ContainerLab): Promise<void> {
  const servers = [...lab.masters, ...lab.replicas];
  const writable = await Promise.all(servers.map(isWritable));
  expect(servers.filter((_, index) => writable[index]).map(({ name }) => name)).toEqual([lab.owner().name]);
  expect(await lab.holders()).toEqual([lab.owner().name]);
  const connection = await logIn(lab);
  rows += 1;
  await connection.query('CREATE TABLE IF NOT EXISTS healthy (id INT PRIMARY KEY)');
  await connection.query('INSERT INTO healthy VALUES (?)', [rows]);
  await connection.end();
  for (const server of servers) {
    await eventually(`${server.name} has row ${rows}`, async () => {
      const found = await server.query('SELECT id FROM lab.healthy WHERE id = ?', [rows]).catch(() => []);
      return found.length === 1;
    });
  }
}

export async function isWritable(server: LabServer): Promise<boolean> {
  const [row] = await server.query<{ readOnly: number }>('SELECT @@GLOBAL.read_only AS readOnly');
  return row?.readOnly === 0;
}

/** What becomes of a TCP connection within a second: a greeting, an error code, silence, or no connection at all. */
export function dial(host: string, port = 3306): Promise<string> {
  return new Promise((resolve) => {
    let last = 'unanswered';
    const socket = connect({ host, port });
    const finish = (what: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(what);
    };
    const timer = setTimeout(() => finish(last), 1_000);
    socket.once('connect', () => {
      last = 'silent';
    });
    socket.once('data', () => finish('greeting'));
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
  });
}

/** Shows what keepalived and its scripts have logged on both masters, should this test fail. */
export function showLogsOnFailure(
  lab: ContainerLab,
  onFailed: TestContext['onTestFailed'] = onTestFailed,
): void {
  onFailed(async () => {
    for (const name of ['a', 'b'] as const) {
      const lines = (await lab.keepalivedLog(name))
        .split('\n')
        .filter((line) => !line.includes('gratuitous ARP'));
      process.stderr.write(`keepalived on ${name}:\n${lines.slice(-60).join('\n')}\n`);
    }
  });
}
