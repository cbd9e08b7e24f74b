import { createConnection } from 'mysql2/promise';
import type { Lab, MasterName } from '../../src/testing/index.ts';

/**
 * Keeps a master from committing anything for a while: COMMITs and single writes hang there without an answer, while
 * it answers reads and new logins. Resolves when the lock is in force; the server lifts it by itself, whether it can be
 * reached by then or not, and then commits what still hangs.
 */
export async function holdCommits(lab: Lab, name: MasterName, holdMs: number): Promise<void> {
  const { host, port } = lab.master(name);
  const session = await createConnection({ host, port, ...lab.admin, multipleStatements: true });
  session.on('error', () => {});
  await session.query('FLUSH TABLES WITH READ LOCK');
  session
    .query(`DO SLEEP(${holdMs / 1_000}); UNLOCK TABLES`)
    .catch(() => {})
    .finally(() => session.destroy());
}
