import type { ClusterConfig } from 'vipsql';

/** What the shop asks of its cluster wherever it runs; addresses and logins come from outside. */
export const clusterSettings = {
  // A replica may lag: a stock read there oversells, and an order just placed would be missing.
  primaryOnly: ['stock', 'orders', 'order_line', 'restock'],
  // How long a client is kept waiting, a failover included, before it is told to come again.
  timeoutMs: 5_000,
  transactionTimeoutMs: 8_000,
} satisfies Partial<ClusterConfig>;
