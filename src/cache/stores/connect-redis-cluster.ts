import type { NatMap, RedisClusterOptions } from '../../config/redis-target.ts';
import type { StoreListener } from '../store.ts';
import { hostOf, placeOf, portOf } from './redis-address.ts';
import { connectRedisNode } from './redis-client.ts';
import { RedisClusterStore } from './redis-cluster-store.ts';
import { RedisNodes } from './redis-nodes.ts';

/** Connects in the background to the masters of a Redis Cluster. @throws {ConfigError} when ioredis is not installed. */
export function connectRedisCluster(
  options: RedisClusterOptions,
  listener: StoreListener,
): RedisClusterStore {
  const { nodes, natMap, ...shared } = options;
  const places = nodes.map(placeOf);
  const [{ host: _host, port: _port, ...inUrl } = {}] = places;
  const redisNodes = new RedisNodes({
    seeds: places.map(({ host, port }) => `${host}:${port}`),
    connect: (address) => connectRedisNode({ ...inUrl, ...shared, ...reachedAt(address, natMap) }),
    onUp: () => listener.onUp(),
    onDown: (reason) => listener.onDown(reason),
  });
  const { keyPrefix } = shared;
  return new RedisClusterStore(redisNodes, typeof keyPrefix === 'string' ? keyPrefix : '');
}

function reachedAt(
  address: string,
  natMap: NatMap | undefined,
): { readonly host: string; readonly port: number } {
  const mapped = typeof natMap === 'function' ? natMap(address) : natMap?.[address];
  return mapped ?? { host: hostOf(address), port: portOf(address) };
}
