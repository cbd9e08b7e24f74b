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

/** Where a node of a Redis Cluster is: `'host'`, `'host:port'`, a URL, or an object. */
export type RedisNode = string | { readonly host?: string; readonly port?: number };

/** A Redis Cluster: some of its nodes, and what ioredis needs to know besides to connect to any of them. */
export interface RedisClusterOptions extends RedisOptions {
  readonly nodes: readonly RedisNode[];
  /** Where a node is reached that the cluster names as `host:port`, when not there. */
  readonly natMap?: NatMap;
}

/** Other addresses for the nodes of a Redis Cluster, as ioredis takes them. */
export type NatMap =
  | Readonly<Record<string, { readonly host: string; readonly port: number }>>
  | ((address: string) => { readonly host: string; readonly port: number } | null);

/** A client of ioredis for a Redis Cluster: the part of it from which vipsql learns how to connect to the same one. */
export interface RedisClusterClient {
  readonly isCluster: boolean;
  readonly options: {
    readonly redisOptions?: object | undefined;
    readonly keyPrefix?: string | undefined;
    readonly natMap?: unknown;
  };
}

/**
 * A URL (`redis://`, `rediss://`), options of ioredis, or a client, from which vipsql makes its own: one Redis, the
 * master that Sentinels name, or with `nodes` a Redis Cluster.
 */
export type RedisTarget = string | RedisOptions | RedisClusterOptions | RedisClient | RedisClusterClient;

export function isRedisClient(target: object): target is RedisClient {
  const { duplicate, defineCommand, getBuffer } = target as Partial<RedisClient>;
  return [duplicate, defineCommand, getBuffer].every((method) => typeof method === 'function');
}

/** Whether it is a Redis Cluster; then {@link redisClusterOf} says where. */
export function isRedisCluster(target: object): target is RedisClusterClient | RedisClusterOptions {
  return (
    ('isCluster' in target && target.isCluster === true) || ('nodes' in target && !isRedisClient(target))
  );
}

/** The nodes and the options of a Redis Cluster, whichever way they were given. */
export function redisClusterOf(target: RedisClusterClient | RedisClusterOptions): RedisClusterOptions {
  if (!('isCluster' in target)) return target as RedisClusterOptions;
  const { options, startupNodes } = target as RedisClusterClient & {
    readonly startupNodes: readonly (RedisNode | number)[];
  };
  const { redisOptions, keyPrefix, natMap } = options;
  return {
    ...redisOptions,
    ...(keyPrefix === undefined ? {} : { keyPrefix }),
    ...(natMap === undefined ? {} : { natMap: natMap as NatMap }),
    nodes: startupNodes.map((node) => (typeof node === 'number' ? { port: node } : node)),
  };
}

/** What keeps a value from being a target; `undefined` when nothing does. */
export function redisTargetProblem(target: unknown): string | undefined {
  const rule =
    "must be a URL as 'redis://127.0.0.1:6379', options of ioredis, with `nodes` for a Redis Cluster, or a client of ioredis";
  if (typeof target === 'string') {
    if (!/^rediss?:\/\/./.test(target) || !URL.canParse(target)) return rule;
    return databaseProblem(decodeURIComponent(new URL(target).pathname.slice(1)));
  }
  if (typeof target !== 'object' || target === null || Array.isArray(target)) return rule;
  const prototype: unknown = Object.getPrototypeOf(target);
  const isPlain = prototype === Object.prototype || prototype === null;
  if ('isCluster' in target && target.isCluster === true) {
    return 'startupNodes' in target && 'options' in target ? undefined : rule;
  }
  if (isPlain && 'nodes' in target && !areNodes(target.nodes)) {
    return "must have in `nodes` at least one of 'host:port' and { host, port }";
  }
  if (isRedisClient(target)) return undefined;
  return isPlain ? optionsProblem(target as RedisOptions) : rule;
}

/** ioredis takes what is left out for `127.0.0.1:6379`, which nobody may have meant. */
function optionsProblem(options: RedisOptions): string | undefined {
  const { host, port, path, sentinels, name, db } = options;
  if ([host, port, path, sentinels, options.nodes].every((place) => place === undefined)) {
    return 'must say where Redis is: `host`, `port`, `path`, `sentinels` with `name`, or `nodes`';
  }
  if (sentinels !== undefined && (typeof name !== 'string' || name === '')) {
    return 'must have in `name` what the Sentinels call the master';
  }
  if (port !== undefined && !(Number.isInteger(Number(port)) && Number(port) > 0 && Number(port) < 65_536)) {
    return 'must have in `port` a number from 1 to 65535';
  }
  return db === undefined ? undefined : databaseProblem(String(db));
}

/** ioredis ends the process when it is told to select what is no number. */
function databaseProblem(db: string): string | undefined {
  return /^\d*$/.test(db) ? undefined : 'must name the database by its number, 0 or more';
}

function areNodes(nodes: unknown): nodes is readonly RedisNode[] {
  if (!Array.isArray(nodes) || nodes.length === 0) return false;
  return nodes.every((node) =>
    typeof node === 'string' ? node !== '' : typeof node === 'object' && node !== null,
  );
}
