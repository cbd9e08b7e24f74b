import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpSessionOptions } from './options.ts';
import { RequestSessions, type SessionCluster } from './request-sessions.ts';

/** The part of Fastify 5 that is needed. */
export interface FastifyShape {
  /** Adds what runs first for every request. */
  addHook(
    name: 'onRequest',
    hook: (
      request: { readonly raw: IncomingMessage; readonly protocol: string },
      reply: {
        readonly raw: ServerResponse;
        code(status: number): { send(body: unknown): unknown };
      },
      done: (error?: Error) => void,
    ) => void,
  ): unknown;
}

/** For `app.register`. */
export type SessionPlugin = (app: FastifyShape, options: unknown, done: (error?: Error) => void) => void;

/**
 * Makes a Fastify plugin: each request runs in a session of its own that sees what the client has written and read in
 * earlier requests, and what it writes goes out with the response. It holds for the instance that it is registered in,
 * for hooks and routes that are added afterwards, and for what is registered there.
 *
 * @throws `ConfigError` for options that cannot be used.
 */
export function sessionPlugin(db: SessionCluster, options?: HttpSessionOptions): SessionPlugin {
  const sessions = new RequestSessions(db, options);
  const plugin: SessionPlugin = (app, _, registered) => {
    app.addHook('onRequest', (request, reply, done) => {
      const exchange = {
        request: request.raw,
        response: reply.raw,
        isSecure: request.protocol === 'https',
      };
      sessions
        .run<unknown>(
          exchange,
          () => done(),
          (message) => reply.code(400).send({ statusCode: 400, error: 'Bad Request', message }),
        )
        .catch(done);
    });
    registered();
  };
  // What the package fastify-plugin does: the hook is not kept inside a context of the plugin's own.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'vipsql/http',
  });
}
