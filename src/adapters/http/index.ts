export type { CookieOptions, HttpSessionOptions } from './options.ts';
export type { SessionCluster } from './request-sessions.ts';
export { type SessionListener, sessionListener } from './session-listener.ts';
export { type SessionMiddleware, sessionMiddleware } from './session-middleware.ts';
export { type FastifyShape, type SessionPlugin, sessionPlugin } from './session-plugin.ts';
