const dayMs = 86_400_000;

/**
 * Reads `YYYY-MM-DD HH:MM:SS[.ffffff]`, written in a zone that is `offsetMs` ahead of UTC, to the millisecond; finer
 * digits are cut off. What is no day of the calendar (zero dates, `2024-02-30`) becomes an invalid Date.
 */
export function parseDateTime(text: string, offsetMs: number): Date {
  const year = two(text, 0) * 100 + two(text, 2);
  const time = two(text, 11) * 3_600_000 + two(text, 14) * 60_000 + two(text, 17) * 1000;
  const ms = text.length > 20 ? Number(text.slice(20, 23).padEnd(3, '0')) : 0;
  return dateOf(dayNumber(year, two(text, 5), two(text, 8)), time + ms - offsetMs);
}

/** Reads a DATETIME or TIMESTAMP of the binary protocol (its bytes after the length), as {@link parseDateTime} does. */
export function readDateTime(bytes: Buffer, offsetMs: number): Date {
  if (bytes.length < 4) return new Date(Number.NaN);
  const time = byte(bytes, 4) * 3_600_000 + byte(bytes, 5) * 60_000 + byte(bytes, 6) * 1000;
  const ms = bytes.length > 7 ? Math.floor(bytes.readUInt32LE(7) / 1000) : 0;
  return dateOf(dayNumber(bytes.readUInt16LE(0), byte(bytes, 2), byte(bytes, 3)), time + ms - offsetMs);
}

/** The text of a DATE, given its bytes in the binary protocol. */
export function dateTextOf(bytes: Buffer): string {
  if (bytes.length < 4) return '0000-00-00';
  return `${pad(bytes.readUInt16LE(0), 4)}-${pad(byte(bytes, 2), 2)}-${pad(byte(bytes, 3), 2)}`;
}

/** The text of a DATETIME or TIMESTAMP with as many fractional digits as the column has, given its bytes. */
export function dateTimeTextOf(bytes: Buffer, decimals: number): string {
  const micros = bytes.length > 7 ? bytes.readUInt32LE(7) : 0;
  return `${dateTextOf(bytes)} ${clock(byte(bytes, 4), bytes, 5)}${fraction(micros, decimals)}`;
}

/** The text of a TIME with as many fractional digits as the column has, given its bytes. */
export function timeTextOf(bytes: Buffer, decimals: number): string {
  const long = bytes.length >= 8;
  const hours = long ? bytes.readUInt32LE(1) * 24 + byte(bytes, 5) : 0;
  const micros = bytes.length > 8 ? bytes.readUInt32LE(8) : 0;
  return `${byte(bytes, 0) === 1 ? '-' : ''}${clock(hours, bytes, 6)}${fraction(micros, decimals)}`;
}

/** Bytes that the server left off are zero. */
function byte(bytes: Buffer, index: number): number {
  return bytes[index] ?? 0;
}

function two(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528;
}

function pad(value: number, width: number): string {
  return `${value}`.padStart(width, '0');
}

function clock(hours: number, bytes: Buffer, minutes: number): string {
  return `${pad(hours, 2)}:${pad(byte(bytes, minutes), 2)}:${pad(byte(bytes, minutes + 1), 2)}`;
}

function fraction(micros: number, decimals: number): string {
  return decimals > 0 ? `.${pad(micros, 6).slice(0, Math.min(decimals, 6))}` : '';
}

function dateOf(day: number, timeMs: number): Date {
  return new Date(day * dayMs + timeMs);
}

/** Days since 1970-01-01 of the Gregorian calendar, or NaN for a day it does not have. Date.UTC misreads years below 100. */
function dayNumber(year: number, month: number, day: number): number {
  if (month < 1 || month > 12 || day < 1 || (day > 28 && day > daysIn(year, month))) return Number.NaN;
  // Years that begin in March, in eras of 400 years, need no table of month lengths.
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * 146_097 + yearOfEra * 365 + leapDays + dayOfYear - 719_468;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
