import { createHash } from 'node:crypto';
import type { ServerLife } from '../consistency/floor.ts';
import type { Vendor } from '../resilience/failures.ts';

/**
 * Which server a connection leads to. Two connections lead to the same server when these four are equal;
 * the address that they were opened to says nothing.
 */
export interface Identity {
  /** `@@server_uuid`; empty on MariaDB, whose `@@server_uid` is a hash of MAC address and port and no identity. */
  readonly uuid: string;
  readonly serverId: number;
  readonly hostname: string;
  readonly port: number;
}

/** What a new connection learns about its server. */
export interface ServerFacts {
  readonly identity: Identity;
  readonly vendor: Vendor;
  readonly version: string;
  /** Milliseconds since 1970 by the server's clock, in whole seconds: the same in every reading of one life. */
  readonly startedAtMs: number;
  readonly writable: boolean;
  readonly maxConnections: number;
  /** Why its commits have no positions, as far as its settings tell; `undefined` when they should have. */
  readonly withoutPositions: string | undefined;
}

export function sameIdentity(a: Identity, b: Identity): boolean {
  return a.uuid === b.uuid && a.serverId === b.serverId && a.hostname === b.hostname && a.port === b.port;
}

/**
 * Says whether a connection belongs to another life of its server than the one that began at `startedAtMs`.
 * Connection ids start again at every restart, so an id below `floorId`, the highest one known when
 * this connection was dialled, shows a restart even within the same second.
 */
export function isRestart(
  startedAtMs: number,
  connection: { readonly facts: ServerFacts; readonly id: number },
  floorId: number,
): boolean {
  return startedAtMs !== connection.facts.startedAtMs || connection.id < floorId;
}

/** Says whether two connections, opened at any time, lead to one server in one life. */
export function isSameLife(a: ServerFacts, b: ServerFacts): boolean {
  return sameIdentity(a.identity, b.identity) && a.startedAtMs === b.startedAtMs;
}

/** The same for a server in every process, and short: tokens carry it. */
export function lifeOf({ identity, startedAtMs }: Pick<ServerFacts, 'identity' | 'startedAtMs'>): ServerLife {
  const { uuid, serverId, hostname, port } = identity;
  const text = [uuid, serverId, hostname, port].join('\n');
  const key = createHash('sha256').update(text).digest().subarray(0, 9).toString('base64url');
  return { key, startedAtMs };
}

export function describeIdentity(identity: Identity): string {
  const id = identity.uuid === '' ? `server_id ${identity.serverId}` : identity.uuid;
  return `${identity.hostname}:${identity.port} (${id})`;
}
