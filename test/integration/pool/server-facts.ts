import type { Lab, LabServer } from '../../../src/testing/index.ts';

/** A number of `SHOW GLOBAL STATUS`. */
export async function statusNumber(server: LabServer, name: string): Promise<number> {
  const [row] = await server.query<{ Value: string }>(`SHOW GLOBAL STATUS LIKE '${name}'`);
  return Number(row?.Value);
}

/** The ids of the sessions that the application has on a server. */
export async function appSessions(lab: Lab, server: LabServer = lab.owner()): Promise<number[]> {
  const rows = await server.query<{ id: number | bigint }>(
    'SELECT id FROM information_schema.processlist WHERE user = ? ORDER BY id',
    [lab.user],
  );
  return rows.map(({ id }) => Number(id));
}

/** Ends every session of the application on a server. */
export async function killAppSessions(lab: Lab, server: LabServer = lab.owner()): Promise<void> {
  for (const id of await appSessions(lab, server)) await server.query(`KILL ${id}`).catch(() => {});
}
