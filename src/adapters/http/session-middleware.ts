import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { HttpSessionOptions } from './options.ts';
import { RequestSessions, type SessionCluster } from './request-sessions.ts';
import { sendBadRequest } from './send-bad-request.ts';

/** For `app.use` of Express, Connect and their like. */
export type SessionMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Makes a middleware: what comes after it runs in a session of its own for each request, which sees what the client has
 * written and read in earlier requests, and what it writes goes out with the response. Use it before all that reads or
 * writes.
 *
 * @throws `ConfigError` for options that cannot be used.
 */
export function sessionMiddleware(db: SessionCluster, options?: HttpSessionOptions): SessionMiddleware {
  const sessions = new RequestSessions(db, options);
  return (request, response, next) => {
    // Express knows of proxies that it trusts.
    const { secure, socket } = request as IncomingMessage & { readonly secure?: boolean };
    const isSecure = secure ?? (socket as Partial<TLSSocket>).encrypted === true;
    sessions
      .run(
        { request, response, isSecure },
        () => next(),
        (why) => sendBadRequest(response, why),
      )
      .catch(next);
  };
}
