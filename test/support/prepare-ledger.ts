import type { Cluster } from '../../src/index.ts';
import type { Lab } from '../../src/testing/index.ts';

/** Makes the commit ledger on the primary, and lets the lab's account see who acknowledges its commits. */
export async function prepareLedger(lab: Lab, db: Cluster): Promise<void> {
  if (lab.vendor === 'mariadb') {
    await lab.owner().query(`GRANT REPLICATION MASTER ADMIN ON *.* TO '${lab.user}'@'%'`);
  }
  await db.createLedger();
}
