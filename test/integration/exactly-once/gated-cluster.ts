import type { Cluster, ClusterConfig } from '../../../src/index.ts';
import type { Lab } from '../../../src/testing/index.ts';
import { openCluster } from '../../support/cluster.ts';
import { CommitGate } from '../../support/commit-gate.ts';
import { Orders } from '../../support/orders.ts';
import { TcpProxy } from '../pool/tcp-proxy.ts';

/** A cluster whose COMMITs pass a gate of the test's. */
export interface GatedCluster extends AsyncDisposable {
  readonly db: Cluster;
  readonly gate: CommitGate;
  readonly orders: Orders;
}

/** Reaches the primary of the lab, wherever the VIP is, through a proxy that can lose COMMITs. */
export async function gatedCluster(lab: Lab, config: Partial<ClusterConfig> = {}): Promise<GatedCluster> {
  const proxy = await TcpProxy.start(lab.vip);
  const gate = new CommitGate(proxy);
  const db = openCluster(lab, { primary: proxy.address, retry: { attempts: 10 }, ...config });
  const orders = await Orders.prepare(lab, db);
  return {
    db,
    gate,
    orders,
    async [Symbol.asyncDispose]() {
      await db.close({ timeoutMs: 0 });
      await proxy.stop();
    },
  };
}
