import type { Readable } from 'node:stream';
import { SessionStateError } from '../../errors/errors.ts';
import type { DriverAnswer, DriverCallback } from '../driver/driver-command.ts';
import { toDriverError } from '../driver/driver-error.ts';
import { type DriverQuery, type DriverQueryInput, driverQuery } from '../driver/driver-query.ts';
import type { DriverSession } from '../driver/driver-session.ts';
import { DriverShape } from '../driver/driver-shape.ts';
import type { PrimarySession } from '../driver/primary-session.ts';

/** What `promise()` gives. */
export interface DriverPromises {
  query(input: DriverQueryInput, values?: unknown): Promise<DriverAnswer>;
  execute(input: DriverQueryInput, values?: unknown): Promise<DriverAnswer>;
}

/** A connection as Knex and `pool.afterCreate` know it from mysql2, as far as they use it. */
export class KnexConnection<Session extends DriverSession = DriverSession> extends DriverShape {
  /** Knex's name for it. */
  __knexUid?: string;
  readonly session: Session;

  constructor(session: Session) {
    super(session.driver);
    this.session = session;
  }

  /** Its id on its server. */
  get threadId(): number {
    return this.session.threadId;
  }

  override answer(query: DriverQuery): Promise<DriverAnswer> {
    return this.session.answer(query);
  }

  override rows(query: DriverQuery, highWaterMark: number | undefined): Readable {
    return this.session.rows(query, highWaterMark);
  }

  /** Asks the server for a sign of life. */
  ping(callback: DriverCallback): void {
    this.query('DO 1', callback);
  }

  /** The same connection with promises instead of callbacks. */
  promise(): DriverPromises {
    return {
      query: (input, values) => this.answer(driverQuery(input, values, { prepare: false })),
      execute: (input, values) => this.answer(driverQuery(input, values, { prepare: true })),
    };
  }

  /** Ends the connection at once, as mysql2's connections do. */
  destroy(): void {
    this.session.destroy();
  }
}

/** What Knex's pool holds. */
export class KnexPrimaryConnection extends KnexConnection<PrimarySession> {
  /** Knex gives it back as soon as what it was borrowed for is done. */
  isForOneRun = false;

  override async answer(query: DriverQuery): Promise<DriverAnswer> {
    const answer = await super.answer(query);
    if (this.isForOneRun && this.session.connection.inTransaction) {
      this.session.destroy();
      throw toDriverError(transactionLeftOpen(), query.sql);
    }
    return answer;
  }

  /** Gives the connection back for good. */
  close(): void {
    this.session.close();
    this.emit('end');
  }
}

/** Nobody could commit it. */
function transactionLeftOpen(): SessionStateError {
  return new SessionStateError(
    'The statement was executed and left a transaction open on a connection that Knex gives back at once: it was rolled ' +
      'back. Use knex.transaction(…) instead of BEGIN, and leave autocommit on.',
    { outcome: 'rolled-back' },
  );
}
