import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { type ConnectionOptions, createConnection, type Connection as RawConnection } from 'mysql2';
import type { Endpoint, SessionConfig } from '../config/types.ts';
import type { Vendor } from '../resilience/failures.ts';
import { mysql2TypeOptions } from '../rows/column-types.ts';
import { Connection } from './connection.ts';
import { prepareSession, query, readServerFacts } from './session.ts';
import { SetUpFailed } from './set-up-failed.ts';

export interface SessionOptions {
  readonly socket: Socket;
  readonly endpoint: Endpoint;
  readonly user: string;
  readonly password: string;
  readonly session: SessionConfig;
  /** The TLS options, the same object for each login to an address: mysql2 keeps what it derives from them by it. */
  readonly ssl: ConnectionOptions['ssl'];
  readonly role: 'primary' | 'replica';
  readonly readOnly: boolean;
  /** An UPDATE counts the rows that it changed, instead of those that it found. */
  readonly countsChanged?: boolean | undefined;
  /** The greeting and the authentication are over. */
  readonly onAuthenticated: () => void;
}

/**
 * Prepared statements per connection: `max_prepared_stmt_count` is server-wide. mysql2 closes the oldest only after it
 * has prepared one more, which makes 100.
 */
const maxPreparedStatements = 99;

/** Logs in on a socket, sets the session up and learns who its server is. Rejects when the socket closes meanwhile. */
export async function openSession(options: SessionOptions): Promise<Connection> {
  const { socket, endpoint, session, readOnly, onAuthenticated } = options;
  nameForTls(socket, endpoint);
  const raw = createConnection(mysql2Options(options));
  const vendor = await authenticated(raw);
  onAuthenticated();
  const purpose = { vendor, readOnly };
  await prepareSession(raw, session, purpose);
  const { facts, connectionId } = await readServerFacts(raw, vendor);
  await runOnConnect(raw, options);
  return new Connection({
    raw,
    socket,
    id: connectionId,
    facts,
    endpointName: endpoint.name,
    types: session,
    readOnly,
    prepareSession: async () => {
      await prepareSession(raw, session, purpose);
      await runOnConnect(raw, options);
    },
  });
}

/**
 * mysql2 gives TLS no name when the host is an IP address, as VIPs are, and Node then compares the certificate with the
 * name that the socket was dialled by, or with `localhost` where it was dialled by no name.
 */
function nameForTls(socket: Socket, endpoint: Endpoint): void {
  if (endpoint.kind === 'tcp') Object.assign(socket, { _host: endpoint.tlsName ?? endpoint.host });
}

function mysql2Options({
  socket,
  endpoint,
  user,
  password,
  session,
  ssl,
  countsChanged,
}: SessionOptions): ConnectionOptions {
  return {
    stream: socket,
    ...(endpoint.kind === 'tcp' && { host: endpoint.tlsName ?? endpoint.host, port: endpoint.port }),
    user,
    password,
    ...(session.database !== undefined && { database: session.database }),
    ...(ssl !== undefined && { ssl }),
    ...(countsChanged === true && { flags: ['-FOUND_ROWS'] }),
    charset: session.charset,
    connectTimeout: 0,
    maxPreparedStatements,
    ...mysql2TypeOptions(session),
  };
}

/**
 * Waits for the end of the login; the greeting's version text tells the vendor. The listener for errors stays: a broken
 * line may be told more than once, and later on it ends the query that waits for it.
 */
function authenticated(raw: RawConnection): Promise<Vendor> {
  return new Promise((resolve, reject) => {
    // Judged at once: mysql2 may yet give the same error another code.
    raw.on('error', (error) => reject(isBrokenLine(error) ? new LineLost(error) : error));
    raw.once('connect', (greeting: { readonly serverVersion: string }) =>
      resolve(/mariadb/i.test(greeting.serverVersion) ? 'mariadb' : 'mysql'),
    );
  });
}

class LineLost extends Error {
  readonly code = 'ECONNRESET';

  constructor(cause: Error) {
    super(`the connection was lost during the login: ${cause.message}`, { cause });
  }
}

/** mysql2 gives whatever happens during the TLS handshake one code; a line that breaks says nothing about TLS. */
function isBrokenLine({ code, errno, message }: NodeJS.ErrnoException): boolean {
  const isSystemError = errno !== undefined && errno < 0 && -errno !== constants.errno.EPROTO;
  return isSystemError || (code === 'HANDSHAKE_SSL_ERROR' && /disconnected before secure TLS/.test(message));
}

/** What the caller does with a new session; it may never end, but the connection may. */
async function runOnConnect(
  raw: RawConnection,
  { socket, endpoint, session, role }: SessionOptions,
): Promise<void> {
  const { onConnect } = session;
  if (onConnect === undefined) return;
  let onClose: (() => void) | undefined;
  const closed = new Promise<never>((_, reject) => {
    onClose = () => reject(new Error('the connection was closed during onConnect'));
    if (socket.destroyed) onClose();
    else socket.once('close', onClose);
  });
  const done = (async () => {
    await onConnect({
      role,
      server: endpoint.name,
      query: (sql, params) => boundQuery(raw, sql, params),
    });
  })();
  try {
    await Promise.race([done, closed]);
  } catch (error) {
    throw new SetUpFailed('the function that was given as onConnect', error);
  } finally {
    if (onClose !== undefined) socket.off('close', onClose);
  }
}

function boundQuery(
  raw: RawConnection,
  sql: string,
  params: readonly unknown[] | undefined,
): Promise<Record<string, unknown>[]> {
  if (params === undefined || params.length === 0) return query(raw, sql);
  return new Promise((resolve, reject) => {
    raw.execute(sql, params as never, (error, rows) =>
      error === null ? resolve(rows as Record<string, unknown>[]) : reject(error),
    );
  });
}
