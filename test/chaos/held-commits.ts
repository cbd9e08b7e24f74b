import { createConnection, type Connection as MysqlConnection } from 'mysql2/promise';
import type { Lab, LabServer, MasterName } from '../../src/testing/index.ts';
import { eventually, sleep } from '../support/eventually.ts';

/**
 * Keeps a master from committing anything for a while: COMMITs and single writes hang there without an answer, while
 * it answers reads and new logins. Resolves when the lock is in force; the server lifts it by itself, whether it can be
 * reached by then or not, and then commits what still hangs.
 */
export async function holdCommits(lab: Lab, name: MasterName, holdMs: number): Promise<void> {
  const server = lab.master(name);
  const { host, port } = server;
  const session = await createConnection({ host, port, ...lab.admin, multipleStatements: true });
  session.on('error', () => {});
  await eventually('the global read lock', () => tryToLock(server, session), 30_000);
  session
    .query(`DO SLEEP(${holdMs / 1_000}); UNLOCK TABLES`)
    .catch(() => {})
    .finally(() => session.destroy());
}

const longestTryMs = 150;

const pauseMs = 300;

/**
 * A statement that waits for a row lock keeps the global lock away, and whoever has that row then waits for the global
 * one: they all go on when the attempt is given up at once.
 */
async function tryToLock(server: LabServer, session: MysqlConnection): Promise<boolean> {
  const limit = setTimeout(() => {
    void server.query(`KILL QUERY ${session.threadId}`).catch(() => {});
  }, longestTryMs);
  try {
    await session.query('FLUSH TABLES WITH READ LOCK');
    return true;
  } catch {
    await sleep(pauseMs);
    return false;
  } finally {
    clearTimeout(limit);
  }
}
