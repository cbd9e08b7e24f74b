import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';

type GivenHeaders = OutgoingHttpHeaders | readonly OutgoingHttpHeader[] | null | undefined;

/**
 * Calls `add` when the headers of a response are about to be written, whoever writes them: Node writes them by `writeHead`
 * as well when it is not called by the handler. What `writeHead` was given is set before, so that it replaces nothing.
 */
export function beforeHeaders(response: ServerResponse, add: () => void): void {
  const writeHead = response.writeHead as (status: number, ...rest: readonly unknown[]) => ServerResponse;
  response.writeHead = (status: number, ...rest: readonly unknown[]): ServerResponse => {
    // Node says what is wrong about a second time.
    if (response.headersSent) return writeHead.call(response, status, ...rest);
    const [first, second] = rest;
    setHeaders(response, (second ?? (typeof first === 'string' ? undefined : first)) as GivenHeaders);
    add();
    return typeof first === 'string'
      ? writeHead.call(response, status, first)
      : writeHead.call(response, status);
  };
}

/** As `writeHead` sets them when there are others already. */
function setHeaders(response: ServerResponse, headers: GivenHeaders): void {
  if (headers === undefined || headers === null) return;
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers)) {
      response.setHeader(name, value as OutgoingHttpHeader);
    }
    return;
  }
  const flat = headers.flat(Array.isArray(headers[0]) ? 1 : 0) as OutgoingHttpHeader[];
  for (let at = 0; at < flat.length; at += 2) response.removeHeader(String(flat[at]));
  for (let at = 0; at < flat.length; at += 2) {
    response.appendHeader(String(flat[at]), flat[at + 1] as string | readonly string[]);
  }
}
