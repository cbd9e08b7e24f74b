import { createRequire } from 'node:module';
import { isRedisClient, type RedisClient, type RedisOptions } from '../../config/redis-target.ts';
import { ConfigError } from '../../errors/errors.ts';
import { redisScripts } from './redis-scripts.ts';

type Script = (key: string, ...args: readonly (string | number | Buffer)[]) => Promise<unknown>;

/** The client that vipsql makes for itself. */
export interface OwnRedisClient extends RedisClient, Record<keyof typeof redisScripts, Script> {
  mgetBuffer(keys: readonly string[]): Promise<(Buffer | null)[]>;
  info(section: string): Promise<string>;
  ping(): Promise<unknown>;
  call(command: string, ...args: readonly string[]): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
  readonly options: SentinelOptions;
  /** The connection that is there. */
  readonly stream?: { readonly remoteAddress?: string | undefined; readonly remotePort?: number | undefined };
  on(event: 'connect' | 'ready' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** How to reach Sentinels, among ioredis's options. */
interface SentinelOptions {
  readonly sentinels?: readonly { readonly host?: string; readonly port?: number }[] | null;
  readonly name?: string | null;
  readonly sentinelUsername?: string | null;
  readonly sentinelPassword?: string | null;
  readonly sentinelTLS?: object;
}

const longestPauseMs = 1_000;

function pauseMs(attempt: number): number {
  return Math.min(longestPauseMs, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);
}

/** Nothing waits inside the client: a command is sent at once, on the connection that is there, or fails. */
const ownOptions = {
  enableOfflineQueue: false,
  enableReadyCheck: true,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: undefined,
  lazyConnect: false,
  readOnly: false,
  connectTimeout: 2_000,
  // How long a connection that was not opened yet outlives its client.
  disconnectTimeout: 50,
  // A master that has become a replica: what it says is late.
  reconnectOnError: ({ message }: Error): boolean => message.startsWith('READONLY'),
  retryStrategy: pauseMs,
  sentinelRetryStrategy: pauseMs,
} as const;

/** Connects in the background. @throws {ConfigError} when ioredis is not installed. */
export function connectRedis(target: string | RedisOptions | RedisClient): OwnRedisClient {
  if (typeof target === 'string') return withScripts(new (redisClass())(target, ownOptions));
  return withScripts(isRedisClient(target) ? target.duplicate(ownOptions) : withOwnOptions(target));
}

/** The Sentinels that a client finds its master by, each on a connection of its own; none where it knows where Redis is. */
export function connectSentinels(client: OwnRedisClient): readonly OwnRedisClient[] {
  const { sentinels, sentinelUsername, sentinelPassword, sentinelTLS } = client.options;
  return (sentinels ?? []).map(({ host = '127.0.0.1', port = 26_379 }) => {
    const sentinel = client.duplicate({
      host,
      port,
      sentinels: undefined,
      path: undefined,
      username: sentinelUsername,
      password: sentinelPassword,
      tls: sentinelTLS,
      db: 0,
      enableReadyCheck: false,
    }) as OwnRedisClient;
    sentinel.on('error', () => {
      // What it does not answer is not counted.
    });
    return sentinel;
  });
}

/** The same for a master of a Redis Cluster, where keys of different slots must not be asked for in one command. */
export function connectRedisNode(options: RedisOptions): OwnRedisClient {
  const client = withScripts(withOwnOptions(options));
  client.mgetBuffer = (keys) => Promise.all(keys.map((key) => client.getBuffer(key)));
  return client;
}

function withOwnOptions(options: RedisOptions): unknown {
  return new (redisClass())({ ...options, ...ownOptions });
}

function withScripts(made: unknown): OwnRedisClient {
  const client = made as OwnRedisClient;
  for (const [name, lua] of Object.entries(redisScripts))
    client.defineCommand(name, { lua, numberOfKeys: 1 });
  return client;
}

type RedisClass = new (...args: readonly unknown[]) => unknown;

function redisClass(): RedisClass {
  try {
    return (createRequire(import.meta.url)('ioredis') as { readonly Redis: RedisClass }).Redis;
  } catch (cause) {
    const rule = 'needs the package ioredis, version 5 or 6, which could not be loaded';
    throw new ConfigError([{ path: 'cache.redis', rule, received: 'no ioredis' }], { cause });
  }
}
