import type { Identity, ServerFacts } from '../../../src/pool/identity.ts';

/** A server of MariaDB by its id, as positions name it. */
export function mariadb(serverId: number): Identity {
  return { uuid: '', serverId, hostname: 'db', port: 3306 };
}

/** A server of MySQL: its uuid ends with the digit. */
export function mysql(digit: number): Identity {
  return { uuid: uuid(digit), serverId: digit, hostname: 'db', port: 3306 };
}

export function uuid(digit: number): string {
  return `00000000-0000-0000-0000-00000000000${digit}`;
}

/** What a connection to a server of MariaDB tells. */
export function factsOf(identity: Identity, startedAtMs: number): ServerFacts {
  return {
    identity,
    vendor: 'mariadb',
    version: '10.11',
    startedAtMs,
    writable: true,
    maxConnections: 100,
    withoutPositions: undefined,
  };
}
