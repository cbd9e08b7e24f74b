import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  dateTextOf,
  dateTimeTextOf,
  parseDateTime,
  readDateTime,
  timeTextOf,
} from '../../../src/rows/temporal.ts';

const hour = 3_600_000;

/** A DATETIME of the binary protocol, with as many bytes as servers send. */
function wire(year: number, month: number, day: number, clock: readonly number[] = [], micros = 0): Buffer {
  const bytes = Buffer.alloc(micros > 0 ? 11 : clock.length > 0 ? 7 : 4);
  bytes.writeUInt16LE(year, 0);
  bytes.set([month, day, ...clock], 2);
  if (micros > 0) bytes.writeUInt32LE(micros, 7);
  return bytes;
}

/** A TIME of the binary protocol. */
function wireTime(negative: boolean, hours: number, minutes: number, seconds: number, micros = 0): Buffer {
  const bytes = Buffer.alloc(micros > 0 ? 12 : 8);
  bytes[0] = negative ? 1 : 0;
  bytes.writeUInt32LE(Math.floor(hours / 24), 1);
  bytes.set([hours % 24, minutes, seconds], 5);
  if (micros > 0) bytes.writeUInt32LE(micros, 8);
  return bytes;
}

describe('DATETIME as a Date', () => {
  test.each<[string, Buffer, string]>([
    ['2024-02-29 12:34:56', wire(2024, 2, 29, [12, 34, 56]), '2024-02-29T12:34:56.000Z'],
    ['2024-01-01 00:00:00', wire(2024, 1, 1), '2024-01-01T00:00:00.000Z'],
    ['1969-12-31 23:59:59.999', wire(1969, 12, 31, [23, 59, 59], 999_000), '1969-12-31T23:59:59.999Z'],
    ['2024-01-01 10:00:00.5', wire(2024, 1, 1, [10, 0, 0], 500_000), '2024-01-01T10:00:00.500Z'],
    ['2024-01-01 10:00:00.07', wire(2024, 1, 1, [10, 0, 0], 70_000), '2024-01-01T10:00:00.070Z'],
    ['2024-01-01 10:00:00.123999', wire(2024, 1, 1, [10, 0, 0], 123_999), '2024-01-01T10:00:00.123Z'],
    ['0001-01-01 00:00:00', wire(1, 1, 1), '0001-01-01T00:00:00.000Z'],
    ['0000-03-01 00:00:00', wire(0, 3, 1), '0000-03-01T00:00:00.000Z'],
    ['9999-12-31 23:59:59', wire(9999, 12, 31, [23, 59, 59]), '9999-12-31T23:59:59.000Z'],
  ])('%s', (text, bytes, iso) => {
    expect(parseDateTime(text, 0).toISOString()).toBe(iso);
    expect(readDateTime(bytes, 0).toISOString()).toBe(iso);
  });

  test.each<[string, Buffer]>([
    ['0000-00-00 00:00:00', Buffer.alloc(0)],
    ['2024-00-10 01:02:03', wire(2024, 0, 10, [1, 2, 3])],
    ['2024-10-00 01:02:03', wire(2024, 10, 0, [1, 2, 3])],
    ['2024-02-30 01:02:03', wire(2024, 2, 30, [1, 2, 3])],
    ['2023-02-29 01:02:03', wire(2023, 2, 29, [1, 2, 3])],
    ['1900-02-29 01:02:03', wire(1900, 2, 29, [1, 2, 3])],
    ['2024-04-31 01:02:03', wire(2024, 4, 31, [1, 2, 3])],
  ])('%s is no day and becomes an invalid Date', (text, bytes) => {
    expect(parseDateTime(text, 0).getTime()).toBeNaN();
    expect(readDateTime(bytes, 0).getTime()).toBeNaN();
  });

  test.each([
    [2 * hour, '2024-02-29T10:34:56.000Z'],
    [-13.5 * hour, '2024-03-01T02:04:56.000Z'],
  ])('is read in a zone %d ms ahead of UTC', (offsetMs, iso) => {
    expect(parseDateTime('2024-02-29 12:34:56', offsetMs).toISOString()).toBe(iso);
    expect(readDateTime(wire(2024, 2, 29, [12, 34, 56]), offsetMs).toISOString()).toBe(iso);
  });

  test('is what JavaScript reads, for every moment of four-digit years', () => {
    const moments = fc.date({
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(moments, (moment) => {
        const iso = moment.toISOString();
        return parseDateTime(`${iso.slice(0, 10)} ${iso.slice(11, 23)}`, 0).getTime() === moment.getTime();
      }),
      { numRuns: 1000 },
    );
  }, 60_000);
});

describe('text', () => {
  test.each<[string, Buffer]>([
    ['2024-02-29', wire(2024, 2, 29)],
    ['0001-01-01', wire(1, 1, 1)],
    ['2024-00-00', wire(2024, 0, 0)],
    ['0000-00-00', Buffer.alloc(0)],
  ])('of the DATE %s', (text, bytes) => {
    expect(dateTextOf(bytes)).toBe(text);
  });

  test.each<[string, Buffer, number]>([
    ['2024-02-29 12:34:56', wire(2024, 2, 29, [12, 34, 56]), 0],
    ['2024-02-29 00:00:00', wire(2024, 2, 29), 0],
    ['2024-02-29 00:00:00.000', wire(2024, 2, 29), 3],
    ['2024-02-29 12:34:56.0', wire(2024, 2, 29, [12, 34, 56]), 1],
    ['2024-02-29 12:34:56.000120', wire(2024, 2, 29, [12, 34, 56], 120), 6],
    ['2024-02-29 12:34:56.12', wire(2024, 2, 29, [12, 34, 56], 120_000), 2],
    ['0000-00-00 00:00:00', Buffer.alloc(0), 0],
    ['0000-00-00 00:00:00.00', Buffer.alloc(0), 2],
  ])('of the DATETIME %s', (text, bytes, decimals) => {
    expect(dateTimeTextOf(bytes, decimals)).toBe(text);
  });

  test.each<[string, Buffer, number]>([
    ['00:00:00', Buffer.alloc(0), 0],
    ['00:00:00.000', Buffer.alloc(0), 3],
    ['12:34:56', wireTime(false, 12, 34, 56), 0],
    ['-838:59:59', wireTime(true, 838, 59, 59), 0],
    ['100:00:01.500', wireTime(false, 100, 0, 1, 500_000), 3],
    ['-00:00:00.001', wireTime(true, 0, 0, 0, 1000), 3],
    ['24:00:00.000001', wireTime(false, 24, 0, 0, 1), 6],
  ])('of the TIME %s', (text, bytes, decimals) => {
    expect(timeTextOf(bytes, decimals)).toBe(text);
  });
});
