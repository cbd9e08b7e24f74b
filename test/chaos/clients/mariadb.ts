import { createPoolCluster } from 'mariadb';
import type { Client, ClientTarget, Row } from '../client.ts';
import { poolClusterPeer } from './pool-cluster.ts';

/** The MariaDB connector's cluster. */
export function mariadbClient(target: ClientTarget): Client {
  const cluster = createPoolCluster();
  return poolClusterPeer(
    target,
    {
      // Without it the connector refuses MySQL's default authentication over plain TCP.
      add: (name, server) => cluster.add(name, { ...server, allowPublicKeyRetrieval: true }),
      of: (pattern, selector) => cluster.of(pattern, selector),
      end: () => cluster.end(),
    },
    (answer) => answer as readonly Row[],
  );
}
