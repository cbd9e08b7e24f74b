import { isIP, isIPv6 } from 'node:net';
import { numberOptions } from './defaults.ts';
import type { Endpoint } from './types.ts';

/** An address text, understood. */
export interface ParsedAddress {
  readonly endpoint: Endpoint;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
}

/** Why a text is no address: what it would have to be. */
export interface AddressProblem {
  readonly rule: string;
}

const forms =
  "must be 'host', 'host:port', an IP address ('[::1]:3306'), a socket path ('/run/mysqld/mysqld.sock') or a 'mysql://' URL";

/** Reads an address text. Returns the problem instead of throwing: the text may hold a password. */
export function parseAddress(text: string): ParsedAddress | AddressProblem {
  if (text.startsWith('/')) return { endpoint: socketEndpoint(text) };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'mysql') return parseUrl(text);
  if (scheme !== undefined)
    return { rule: `must begin with 'mysql://' if it is a URL, not with '${scheme}://'` };
  if (text.includes('@')) return { rule: "must be a 'mysql://' URL when it carries a user" };
  if (isIPv6(text)) return { endpoint: tcpEndpoint(text, undefined) };
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) return { rule: forms };
  if (bracketed !== undefined && !isIPv6(bracketed))
    return { rule: 'must have an IPv6 address between its brackets' };
  return hostAndPort(host, port);
}

/** Checks a host on its own: a name or an IP address without brackets and port. Returns the rule that it breaks. */
export function hostProblem(host: string): string | undefined {
  if (isIP(host) !== 0) return undefined;
  if (/^\d+(?:\.\d+)*$/.test(host)) return `must be an IP address of four numbers up to 255, or a name`;
  if (host.includes(':'))
    return 'must be a host alone; the port goes into `port`, and IPv6 addresses stand without brackets';
  const labels = host.replace(/\.$/, '').split('.');
  const valid =
    host.length <= 253 && labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
  return valid ? undefined : 'must be a host name or an IP address';
}

export function tcpEndpoint(
  host: string,
  port: number = numberOptions['primary.port'].default,
  name?: string,
): Endpoint {
  const lower = host.toLowerCase();
  return Object.freeze({
    kind: 'tcp',
    host: lower,
    port,
    name: name ?? `${isIPv6(lower) ? `[${lower}]` : lower}:${port}`,
  });
}

export function socketEndpoint(path: string, name?: string): Endpoint {
  return Object.freeze({ kind: 'socket', path, name: name ?? path });
}

export function isProblem(parsed: ParsedAddress | AddressProblem): parsed is AddressProblem {
  return 'rule' in parsed;
}

function hostAndPort(host: string, portText: string | undefined): ParsedAddress | AddressProblem {
  if (host === '') return { rule: forms };
  const broken = hostProblem(host);
  if (broken !== undefined) return { rule: broken };
  if (portText === undefined) return { endpoint: tcpEndpoint(host) };
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  const { min, max } = numberOptions['primary.port'];
  if (port < min || port > max) return { rule: `must have a port from ${min} to ${max} after the colon` };
  return { endpoint: tcpEndpoint(host, port) };
}

/** Query parameters that other libraries know, and where vipsql has them. */
const parameterHomes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    acquiretimeout: 'timeoutMs',
    charset: 'charset',
    connectionlimit: 'pool.max',
    connection_limit: 'pool.max',
    connecttimeout: 'tcpTimeoutMs and loginTimeoutMs',
    connect_timeout: 'tcpTimeoutMs and loginTimeoutMs',
    pool_timeout: 'timeoutMs',
    ssl: 'ssl',
    'ssl-mode': 'ssl',
    sslmode: 'ssl',
    sslaccept: 'ssl',
    timezone: 'timezone',
  }),
);

const percentHint =
  "; write reserved characters of user and password percent-encoded ('@' as %40, '/' as %2F, '#' as %23)";

function parseUrl(text: string): ParsedAddress | AddressProblem {
  const malformed = { rule: `must be a URL like 'mysql://user:password@host:3306/database'${percentHint}` };
  if (!URL.canParse(text)) return malformed;
  const url = new URL(text);
  if (url.hash !== '') return malformed;
  const [user, password, database] = [url.username, url.password, url.pathname.replace(/^\//, '')].map(
    decoded,
  );
  if (user === undefined || password === undefined || database === undefined) {
    return { rule: `must be a URL whose percent signs are followed by two hexadecimal digits${percentHint}` };
  }
  if (/[/@]/.test(database)) return malformed;
  const parameter = [...url.searchParams.keys()][0];
  if (parameter !== undefined) {
    const home = parameterHomes.get(parameter.toLowerCase());
    // An unknown name may be the end of a password with a question mark in it.
    return home === undefined
      ? { rule: 'must not have query parameters; options stand beside it in the configuration' }
      : { rule: `must not have the query parameter '${parameter}'; use the option \`${home}\`` };
  }
  const bare = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const address = hostAndPort(decoded(bare) ?? '', url.port === '' ? undefined : url.port);
  if (isProblem(address)) return address;
  return {
    ...address,
    ...(user === '' ? {} : { user }),
    ...(password === '' ? {} : { password }),
    ...(database === '' ? {} : { database }),
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
