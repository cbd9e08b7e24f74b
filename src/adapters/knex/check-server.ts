import { tcpEndpoint } from '../../config/address.ts';
import { describeValue } from '../../config/redact.ts';
import type { Endpoint, ResolvedConfig } from '../../config/types.ts';
import { ConfigError, type ConfigIssue } from '../../errors/errors.ts';
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

/** Addresses that are not the cluster's, and that answered. */
export type Strangers = Set<string>;

/** What `connection` says of server, account and TLS, and what is not so with the cluster. */
export function contradictions(
  settings: ServerSettings,
  { primary, session }: OwnServer,
): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const refuse = (name: keyof ServerSettings, rule: string, received = settings[name]): void => {
    issues.push({ path: `connection.${name}`, rule, received: describeValue(received, [name]) });
  };
  const { host, socketPath, user, ssl } = settings;
  const { endpoint, credentials } = primary;
  const asked = endpointOf(settings);
  if (asked !== undefined && !isSame(asked, endpoint)) {
    const name = socketPath !== undefined ? 'socketPath' : host !== undefined ? 'host' : 'port';
    refuse(name, `must be the primary of the cluster, ${endpoint.name}, or be left out`, asked.name);
  }
  if (user !== undefined && user !== credentials.user) {
    refuse('user', `must be that of the cluster, ${credentials.user}, or be left out`);
  }
  if (ssl !== undefined && ssl !== null && ssl !== false && session.ssl === undefined) {
    refuse('ssl', 'must be asked for by `ssl` of the cluster, whose connections are not encrypted');
  }
  return issues;
}

/**
 * Refuses a `connection` that means another server, account or protection than the cluster has: nothing is sent
 * anywhere but to the cluster, so what is meant for elsewhere must not go there. An address that nothing can be reached
 * at fails as Knex's own client does, with the refusal as the cause.
 *
 * @throws {@link ConfigError}, or the error of the address with that as its cause.
 */
export async function checkServer(
  settings: ServerSettings,
  own: OwnServer,
  { strangers, deadline }: { readonly strangers: Strangers; readonly deadline: Deadline },
): Promise<void> {
  const issues = contradictions(settings, own);
  if (issues.length === 0) return;
  const refusal = new ConfigError(issues);
  const asked = endpointOf(settings);
  const isElsewhere = asked !== undefined && !isSame(asked, own.primary.endpoint);
  // Once: a server counts those who dial it and say nothing.
  if (!isElsewhere || strangers.has(asked.name)) throw refusal;
  try {
    await reach(asked, own.tcpTimeoutMs, deadline);
  } catch (error) {
    throw unreachable(error, asked, refusal);
  }
  strangers.add(asked.name);
  throw refusal;
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

async function reach(endpoint: Endpoint, tcpTimeoutMs: number, deadline: Deadline): Promise<void> {
  const socket = await dial({
    endpoint,
    tcpTimeoutMs,
    deadline,
    onSocket: () => {},
    onSpare: (spare) => spare.on('error', () => {}).destroy(),
  });
  socket.on('error', () => {}).destroy();
}

function unreachable(error: unknown, { name }: Endpoint, cause: ConfigError): Error {
  const { code, errno, syscall, message } = error as NodeJS.ErrnoException;
  // Node's message is empty where a name has several addresses.
  const shown = message === '' ? `connect ${code} ${name}` : message;
  return Object.assign(new Error(shown, { cause }), { code, errno, syscall });
}
