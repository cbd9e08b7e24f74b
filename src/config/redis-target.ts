/** A client of ioredis 5 or 6, of whichever copy: the part of it that vipsql uses, to make one of its own like it. */
export interface RedisClient {
  /** A client like it, with these options instead of its own. */
  duplicate(options: Readonly<Record<string, unknown>>): unknown;
  /** A script as a method of the client. */
  defineCommand(name: string, definition: { readonly lua: string; readonly numberOfKeys: number }): void;
  /** The value of a key. */
  getBuffer(key: string): Promise<Buffer | null>;
}

/** What ioredis needs to know to connect: to one Redis, or with `sentinels` and `name` to the master that those name. */
export interface RedisOptions {
  readonly host?: string;
  readonly port?: number;
  /** A Unix socket instead of host and port. */
  readonly path?: string;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: object;
  readonly sentinels?: readonly { readonly host?: string; readonly port?: number }[];
  /** The name by which the Sentinels know the master. */
  readonly name?: string;
  readonly [option: string]: unknown;
}

/** A URL (`redis://`, `rediss://`), options of ioredis, or a client, of which vipsql makes a duplicate for itself. */
export type RedisTarget = string | RedisOptions | RedisClient;

export function isRedisClient(target: object): target is RedisClient {
  const { duplicate, defineCommand, getBuffer } = target as Partial<RedisClient>;
  return [duplicate, defineCommand, getBuffer].every((method) => typeof method === 'function');
}

/** What keeps a value from being a target; `undefined` when nothing does. */
export function redisTargetProblem(target: unknown): string | undefined {
  const rule = "must be a URL as 'redis://127.0.0.1:6379', options of ioredis, or a client of ioredis";
  if (typeof target === 'string') return /^rediss?:\/\/./.test(target) ? undefined : rule;
  if (typeof target !== 'object' || target === null || Array.isArray(target)) return rule;
  if ('isCluster' in target && target.isCluster === true) {
    return 'must be one Redis or a Sentinel set-up: in a Redis Cluster nothing tells when records were lost';
  }
  const prototype: unknown = Object.getPrototypeOf(target);
  return isRedisClient(target) || prototype === Object.prototype || prototype === null ? undefined : rule;
}
