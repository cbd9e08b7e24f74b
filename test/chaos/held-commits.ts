import { createConnection } from 'mysql2/promise';
import type { Lab, MasterName } from '../../src/testing/index.ts';

/**
 * Keeps a master from committing anything: COMMITs and single writes hang there without an answer, while the server
 * answers reads and new logins. Ends with the server, or when the returned function is called.
 */
export async function holdCommits(lab: Lab, name: MasterName): Promise<() => void> {
  const { host, port } = lab.master(name);
  const session = await createConnection({ host, port, ...lab.admin });
  session.on('error', () => {});
  await session.query('FLUSH TABLES WITH READ LOCK');
  return () => session.destroy();
}
