import type { Readable } from 'node:stream';
import type { DriverOptions } from '../../pool/driver-reading.ts';
import type { DriverAnswer } from './driver-command.ts';
import type { DriverQuery } from './driver-query.ts';

/** What runs the statements of something that looks like a connection of mysql2's. */
export interface DriverSession {
  readonly driver: DriverOptions;
  /** Runs a query. Rejects with an error of mysql2's shape. */
  answer(query: DriverQuery): Promise<DriverAnswer>;
  /** Runs a query and reads its rows one by one. Throws what refuses it. */
  rows(query: DriverQuery, highWaterMark: number | undefined): Readable;
}
