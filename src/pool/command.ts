import type { FieldPacket, ResultSetHeader } from 'mysql2';
import type { Vendor } from '../resilience/failure-codes.ts';
import type { FailureContext } from '../resilience/failures.ts';
import type { DriverReading } from './driver-reading.ts';

/** A statement, ready to be sent. */
export interface Command {
  readonly text: string;
  /** Bound by the server when given; otherwise the values stand escaped in `text`. */
  readonly values?: readonly unknown[] | undefined;
  readonly statement: FailureContext['statement'];
  /** The text carries escaped strings or buffers, which NO_BACKSLASH_ESCAPES would turn into an injection. */
  readonly escapesText: boolean;
  readonly phase: 'statement' | 'commit';
  /** Columns to parse as JSON where the server does not say that they are (MariaDB). */
  readonly json?: readonly string[] | undefined;
  /** The values are to be mysql2's, not vipsql's. */
  readonly driver?: DriverReading | undefined;
}

/** What mysql2 hands over: rows of one set, the header of a statement without rows, or a list of both. */
export type RawRows =
  | Record<string, unknown>[]
  | ResultSetHeader
  | (Record<string, unknown>[] | ResultSetHeader)[];

/** Columns of one set, or of each set where there may be several. */
export type RawFields = readonly FieldPacket[] | readonly (readonly FieldPacket[] | undefined)[] | undefined;

/** What a server answered, and which one. */
export interface Answer {
  readonly rows: RawRows;
  readonly fields: RawFields;
  readonly server: string;
  /** The epoch, when it was the primary. */
  readonly epoch: number | undefined;
  /**
   * Where the statement was committed, in the notation of the vendor. Nothing for a read, within a transaction, where
   * the server does not tell, and for a write that answers with rows only (RETURNING, a function that writes).
   */
  readonly position: string | undefined;
  /** Something was committed, and the server has not told where. */
  readonly isUnplaced: boolean;
  readonly vendor: Vendor;
}

/** A statement of vipsql's own, without values. */
export function ownCommand(text: string, statement: Command['statement'] = 'read'): Command {
  return { text, statement, escapesText: false, phase: 'statement' };
}

/** Whether an answer is a list of sets, as a procedure gives it. */
export function isFieldLists(
  fields: NonNullable<RawFields>,
): fields is readonly (readonly FieldPacket[] | undefined)[] {
  return fields.length > 0 && (fields[0] === undefined || Array.isArray(fields[0]));
}

/** The first row of an answer to a statement of vipsql's own; `undefined` when there is none. */
export function firstRow(answer: Answer): Record<string, unknown> | undefined {
  return rowsOf(answer)[0];
}

/** The rows of an answer to a statement of vipsql's own that gives one set; `[]` when it has none. */
export function rowsOf({ rows }: Answer): readonly Record<string, unknown>[] {
  return Array.isArray(rows) && !Array.isArray(rows[0]) ? (rows as Record<string, unknown>[]) : [];
}
