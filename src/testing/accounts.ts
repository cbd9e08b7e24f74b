import type { LabAccounts } from './vendors/vendor.ts';

/** The accounts of every lab; nothing but loopback reaches them. */
export const accounts: LabAccounts = {
  admin: { user: 'lab_admin', password: 'lab-admin-secret' },
  replication: { user: 'lab_replication', password: 'lab-replication-secret' },
  application: { user: 'app', password: 'app-secret' },
  database: 'lab',
};
