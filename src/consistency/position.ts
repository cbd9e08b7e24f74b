/** Whose notation a position is written in. */
export type PositionVendor = 'mysql' | 'mariadb';

/**
 * Which transactions a server has, or a client has seen: a GTID set on MySQL, a GTID list on MariaDB. Immutable.
 * Positions of two vendors cannot be combined: every method throws a `TypeError` then.
 */
export interface Position {
  readonly vendor: PositionVendor;
  readonly isEmpty: boolean;
  /** Whether every transaction of `other` is in this one. */
  contains(other: Position): boolean;
  /** The transactions of both. */
  union(other: Position): Position;
  /** What this one has and `other` lacks. */
  subtract(other: Position): Position;
  /** The first and the last sequence number of each source. */
  spans(): Span[];
  /** In the notation of the vendor, as the server itself orders it, on one line. */
  toString(): string;
}

/** What a position has of one source: a server's transactions of one tag, or in one domain. */
export interface Span {
  /** `uuid`, `uuid:tag` or `domain-server`. */
  readonly source: string;
  readonly first: bigint;
  readonly last: bigint;
}

/** A text is no position; the message names the part that is wrong. */
export class InvalidPositionError extends Error {
  override readonly name = 'InvalidPositionError';
}

/** The longest text that is read, in characters. A server with a million gaps in its history stays below it. */
export const maxPositionLength = 16 * 1024 * 1024;

/** The items of a list that is separated by commas, without the space around them; none for a blank text. */
export function positionItems(text: string, what: string, maxLength: number): string[] {
  if (text.length > maxLength) {
    throw new InvalidPositionError(
      `${what}: ${text.length} characters are too many; at most ${maxLength} are read`,
    );
  }
  if (text.trim() === '') return [];
  return text.split(',').map((item) => item.trim());
}

/** A whole decimal number of at most `max`; `what` names it in the error. */
export function parseNumber(text: string, max: bigint, what: string): bigint {
  const value = /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
  if (value === undefined || value > max) {
    throw new InvalidPositionError(`${what} must be a whole number up to ${max}, not ${excerpt(text)}`);
  }
  return value;
}

/** A text as an error shows it. */
export function excerpt(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
