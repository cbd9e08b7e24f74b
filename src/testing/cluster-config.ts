import type { Lab, LabClusterConfig } from './lab.ts';

/** What `createCluster` needs to know of a lab. */
export function clusterConfig({ vip, replicas, user, password, database }: Lab): LabClusterConfig {
  return {
    primary: `${vip.host}:${vip.port}`,
    replicas: replicas.map(({ address }) => address),
    user,
    password,
    database,
  };
}
