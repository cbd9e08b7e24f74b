import type { RedisNode } from '../../config/redis-target.ts';

/** Where a node is, and how to log in where its URL says so. */
export interface RedisPlace {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: object;
}

const defaultPort = 6_379;

export function placeOf(node: RedisNode): RedisPlace {
  if (typeof node !== 'string') return { host: node.host ?? '127.0.0.1', port: node.port ?? defaultPort };
  const isUrl = /^rediss?:\/\//.test(node);
  const { protocol, hostname, port, username, password } = new URL(isUrl ? node : `redis://${node}`);
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? defaultPort : Number(port),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/** Of `host:port`, where the host may be an IPv6 address without brackets. */
export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}

export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
