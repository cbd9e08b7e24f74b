import type { Position } from '../consistency/position.ts';
import {
  positionStatement,
  readServerPosition,
  type ServerPosition,
  waitStatement,
} from '../consistency/server-position.ts';
import { firstRow, ownCommand } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import { sameIdentity } from '../pool/identity.ts';
import { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import type { PrimaryReader } from '../topology/primary-reader.ts';
import type { ReadNeed } from './read-need.ts';

/** The server behind a connection did not have what the read must see. */
export const notThere = Symbol('not there');

/** At most this share of a pool waits: the others are for reads that need not. */
const shareOfPool = 0.25;

/** Asking where a server stands takes one round trip. */
const askTimeoutMs = 1_000;

/**
 * Reads behind a balanced address, where each connection may lead to another server: the check runs on the connection
 * that reads, before the read, and what was seen is asked on it afterwards.
 */
export class CheckedReads {
  readonly #primary: Pick<PrimaryReader, 'identity'>;
  readonly #mostWaiting: number;
  #waiting = 0;

  constructor(primary: Pick<PrimaryReader, 'identity'>, poolMax: number) {
    this.#primary = primary;
    this.#mostWaiting = Math.max(1, Math.floor(poolMax * shareOfPool));
  }

  /** Rejects with {@link notThere} unless the server has `required`, or gets there before the limit. */
  async check(connection: Connection, required: Position, limit: Deadline): Promise<void> {
    if (this.#leadsToPrimary(connection)) return;
    const before = await positionOn(connection, (vendor) => positionStatement(vendor), askTimeoutMs);
    if (holds(before, required)) return;
    const timeoutMs = limit.remainingMs();
    if (before === undefined || timeoutMs <= 0 || this.#waiting >= this.#mostWaiting) throw notThere;
    const missing = required.subtract(before.applied);
    this.#waiting += 1;
    try {
      const { version } = connection.facts;
      const after = await positionOn(
        connection,
        () => waitStatement(missing, timeoutMs, version),
        timeoutMs + askTimeoutMs,
      );
      if (!holds(after, required)) throw notThere;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Tells `need` what the read on this connection may have seen. */
  async report(connection: Connection, need: ReadNeed): Promise<void> {
    if (this.#leadsToPrimary(connection)) {
      need.sawPrimary(performance.now());
      return;
    }
    try {
      const position = await positionOn(connection, (vendor) => positionStatement(vendor), askTimeoutMs);
      need.sawPosition(position?.atMost);
    } catch {
      // The read itself has been answered.
      need.sawPosition(undefined);
    }
  }

  #leadsToPrimary({ facts }: Connection): boolean {
    const { identity } = this.#primary;
    return identity !== undefined && sameIdentity(identity, facts.identity);
  }
}

async function positionOn(
  connection: Connection,
  statement: (vendor: Position['vendor']) => string,
  limitMs: number,
): Promise<ServerPosition | undefined> {
  const { vendor, identity } = connection.facts;
  try {
    const answer = await connection.run(ownCommand(statement(vendor)), new Deadline(limitMs));
    return readServerPosition(vendor, firstRow(answer) ?? {}, identity.serverId);
  } catch (error) {
    // It does not know the question, as some proxies do not.
    if (error instanceof Failed && error.failure.kind === 'sql') return undefined;
    throw error;
  }
}

function holds(position: ServerPosition | undefined, required: Position): boolean {
  return position?.applied.vendor === required.vendor && position.applied.contains(required);
}
