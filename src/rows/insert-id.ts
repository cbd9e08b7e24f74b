import { UnsafeIntegerError } from '../errors/errors.ts';

/** The id that a statement generated. */
export interface InsertId {
  /**
   * The first AUTO_INCREMENT value of the statement; 0 when there was none. Ids of one bulk insert are not consecutive
   * where `auto_increment_increment` is not 1. Throws {@link UnsafeIntegerError} when read above 2^53-1.
   */
  readonly insertId: number;
  /** The same without a limit. Not enumerable, since JSON has no place for it. */
  readonly insertIdBig: bigint;
}

/**
 * The properties of {@link InsertId}, for `Object.defineProperties`: `insertId` is a getter that is enumerable only while
 * reading it cannot throw, so that printing, copying or sending a result never does.
 *
 * @param raw `insertId` of mysql2's ResultSetHeader: a string when it is not safe as a number. mysql2 reads it as signed,
 * as a negative id of a signed column is.
 */
export function insertIds(raw: number | string): PropertyDescriptorMap {
  const big = BigInt(raw);
  const id = Number(big);
  const insertIdBig = { value: big, enumerable: false };
  if (Number.isSafeInteger(id)) return { insertId: { value: id, enumerable: true }, insertIdBig };
  const get = (): never => {
    throw new UnsafeIntegerError(`insertId ${big} is not safe as a number; read insertIdBig`);
  };
  return { insertId: { get, enumerable: false }, insertIdBig };
}
