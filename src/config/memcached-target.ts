import { isIPv6 } from 'node:net';
import { hostProblem } from './address.ts';

/** Where one memcached is: `'host'`, `'host:port'` or `'[::1]:11211'`, or an object. The port is 11211 by default. */
export type MemcachedTarget = string | { readonly host: string; readonly port?: number };

/** The same, understood. */
export interface MemcachedPlace {
  readonly host: string;
  readonly port: number;
}

const defaultPort = 11_211;

export function memcachedPlaceOf(target: MemcachedTarget): MemcachedPlace {
  if (typeof target !== 'string') return { host: target.host, port: target.port ?? defaultPort };
  const [, bracketed, plain = '', port] = addressForm.exec(target) ?? [];
  return { host: bracketed ?? plain, port: port === undefined ? defaultPort : Number(port) };
}

/** What keeps a value from being a target; `undefined` when nothing does. */
export function memcachedTargetProblem(target: unknown): string | undefined {
  if (typeof target === 'string') {
    if (!addressForm.test(target)) return form;
  } else if (!isPlace(target)) return form;
  const { host, port } = memcachedPlaceOf(target);
  if (hostProblem(host) !== undefined || !Number.isInteger(port) || port < 1 || port > 65_535) return form;
  return typeof target === 'string' && target.startsWith('[') && !isIPv6(host) ? form : undefined;
}

const form = "must be 'host:port' of one memcached, or { host, port }";

const addressForm = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/;

function isPlace(target: unknown): target is { readonly host: string; readonly port?: number } {
  if (typeof target !== 'object' || target === null || Array.isArray(target)) return false;
  const { host, port, ...others } = target as Record<string, unknown>;
  return (
    typeof host === 'string' &&
    ['number', 'undefined'].includes(typeof port) &&
    Object.keys(others).length === 0
  );
}
