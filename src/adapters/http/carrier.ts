import type { IncomingMessage, ServerResponse } from 'node:http';
import { cookieIn, setCookie } from './cookie.ts';
import type { HttpSessionOptions } from './options.ts';

/** Where the token stands in requests and responses. */
export interface Carrier {
  read(request: IncomingMessage): string | undefined;
  /** Takes the place of what it wrote before. */
  write(response: ServerResponse, token: string, isSecure: boolean): void;
  /** Has the client forget its token. */
  clear(response: ServerResponse, isSecure: boolean): void;
}

export function carrierOf({ cookie = {}, header }: HttpSessionOptions): Carrier {
  if (header !== undefined) return headerCarrier(header.toLowerCase());
  const { name = 'vipsql' } = cookie;
  const put = (response: ServerResponse, line: string): void => {
    const others = [response.getHeader('set-cookie') ?? []].flat().map(String);
    response.setHeader('set-cookie', [...others.filter((other) => !other.startsWith(`${name}=`)), line]);
  };
  return {
    read: ({ headers }) => cookieIn(headers.cookie, name),
    write: (response, token, isSecure) => put(response, setCookie(name, token, cookie, isSecure)),
    clear: (response, isSecure) => put(response, setCookie(name, '', { ...cookie, maxAgeMs: 0 }, isSecure)),
  };
}

function headerCarrier(name: string): Carrier {
  return {
    read: ({ headers }) => [headers[name]].flat()[0],
    write: (response, token) => {
      response.setHeader(name, token);
    },
    clear() {},
  };
}
