import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { HttpSessionOptions } from './options.ts';
import { RequestSessions, type SessionCluster } from './request-sessions.ts';
import { sendBadRequest } from './send-bad-request.ts';

/** For `http.createServer` and `https.createServer`. */
export type SessionListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Wraps the listener of a `node:http` server: each request runs in a session of its own that sees what the client has
 * written and read in earlier requests, and what it writes goes out with the response.
 *
 * Rejects with what `listener` throws, which is an unhandled rejection to Node, as that of any async listener.
 *
 * @throws `ConfigError` for options that cannot be used.
 */
export function sessionListener(
  db: SessionCluster,
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
  options?: HttpSessionOptions,
): SessionListener {
  const sessions = new RequestSessions(db, options);
  return async (request, response) => {
    await sessions.run<unknown>(
      { request, response, isSecure: (request.socket as Partial<TLSSocket>).encrypted === true },
      () => listener(request, response),
      (why) => sendBadRequest(response, why),
    );
  };
}
