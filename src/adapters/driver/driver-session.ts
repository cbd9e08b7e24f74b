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
  /** The id of the connection on its server; 0 where each statement takes another one. */
  readonly threadId: number;
  /** It has ended, and with it what later statements would need. */
  readonly lost: boolean;
  /** Called when that happens, with an error of mysql2's shape. */
  onLost?: ((error: Error) => void) | undefined;
  /** Takes back what was changed in the session. Rejects with an error of mysql2's shape. */
  reset(): Promise<void>;
  /** Gives the connection back once what was given before has ended: as clean as it came. */
  restore(): Promise<void>;
  /** Ends the connection at once. */
  destroy(): void;
}
