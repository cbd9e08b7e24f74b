import { tcpEndpoint } from '../../config/address.ts';
import { describeValue } from '../../config/redact.ts';
import type { Endpoint, ResolvedConfig } from '../../config/types.ts';
import { ConfigError } from '../../errors/errors.ts';
import { dial } from '../../pool/dial.ts';
import type { Deadline } from '../../resilience/deadline.ts';

/** What Knex's `connection` may say of a server, as mysql2 reads it. */
interface ServerSettings {
  readonly host?: string | undefined;
  readonly port?: number | string | undefined;
  readonly socketPath?: string | undefined;
  readonly user?: string | undefined;
  readonly ssl?: unknown;
}

export type OwnServer = Pick<ResolvedConfig, 'primary' | 'session' | 'tcpTimeoutMs'>;

export interface CheckTerms {
  /** What was found once, and needs no more looking at. */
  readonly known: Set<string>;
  readonly deadline: Deadline;
  /** Told once of each thing that is not used. */
  readonly warn: (message: string) => void;
}

/**
 * Looks at what Knex's `connection` says of the server. Queries go to the cluster all the same, and a warning says so
 * where that is another server or account; but an address at which nothing answers fails as with Knex's own client, and
 * what is to be encrypted is not sent in the clear.
 *
 * @throws {@link ConfigError}, or the error of the address.
 */
export async function checkConnection(
  settings: ServerSettings,
  own: OwnServer,
  { known, deadline, warn }: CheckTerms,
): Promise<void> {
  const { endpoint, credentials } = own.primary;
  const { user, ssl } = settings;
  if (ssl !== undefined && ssl !== null && ssl !== false && own.session.ssl === undefined) {
    const rule = 'must be asked for by `ssl` of the cluster, whose connections are not encrypted';
    throw new ConfigError([{ path: 'connection.ssl', rule, received: describeValue(ssl, ['ssl']) }]);
  }
  const warnOnce = (message: string): void => {
    if (!known.has(message)) warn(message);
    known.add(message);
  };
  const asked = endpointOf(settings);
  if (asked !== undefined && !isSame(asked, endpoint)) {
    if (!known.has(asked.name)) await reach(asked, own.tcpTimeoutMs, deadline);
    known.add(asked.name);
    warnOnce(
      `connection: ${asked.name} is not used; queries go to the cluster, whose primary is ${endpoint.name}.`,
    );
  }
  if (user !== undefined && user !== credentials.user)
    warnOnce('connection.user is not used; queries go to the cluster, with its account.');
}

function endpointOf({ host, port, socketPath }: ServerSettings): Endpoint | undefined {
  if (socketPath !== undefined) return { kind: 'socket', path: socketPath, name: socketPath };
  if (host === undefined && port === undefined) return undefined;
  return tcpEndpoint(host ?? 'localhost', port === undefined ? undefined : Number(port));
}

function isSame(asked: Endpoint, own: Endpoint): boolean {
  if (asked.kind === 'socket' || own.kind === 'socket')
    return asked.kind === 'socket' && own.kind === 'socket' && asked.path === own.path;
  return asked.host === own.host && asked.port === own.port;
}

/** Rejects with the error of the address when nothing answers there. */
async function reach(endpoint: Endpoint, tcpTimeoutMs: number, deadline: Deadline): Promise<void> {
  try {
    const socket = await dial({
      endpoint,
      tcpTimeoutMs,
      deadline,
      onSocket: () => {},
      onSpare: (spare) => spare.on('error', () => {}).destroy(),
    });
    socket.on('error', () => {}).destroy();
  } catch (error) {
    const { code, errno, syscall, message } = error as NodeJS.ErrnoException;
    // Node's message is empty where a name has several addresses.
    const shown = message === '' ? `connect ${code} ${endpoint.name}` : message;
    throw Object.assign(new Error(shown, { cause: error }), { code, errno, syscall });
  }
}
