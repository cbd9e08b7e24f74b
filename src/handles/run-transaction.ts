import { tableIn } from '../cache/table-tags.ts';
import {
  checkClosure,
  checkTransactionOptions,
  type KeyedTransactionOptions,
  type TransactionOptions,
} from '../config/call-options.ts';
import { type Answer, ownCommand } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import { Deadline } from '../resilience/deadline.ts';
import { Failed, ofWholeTransaction } from '../resilience/failed.ts';
import { refuseWhenLate } from '../resilience/interruption.ts';
import { startDeadline } from './begin.ts';
import { followed } from './cached-read.ts';
import { CommitInvalidation } from './commit-invalidation.ts';
import { DoneBefore, Once } from './once.ts';
import { writtenTables } from './run-write.ts';
import type { Services } from './services.ts';
import type { Session } from './session.ts';
import { Transaction } from './transaction.ts';
import { type AttemptTrace, withRetries } from './with-retries.ts';

/** The longest that a ROLLBACK may last; after that the connection is destroyed, which rolls back too. */
const rollbackTimeoutMs = 1_000;

/** What differs where a transaction is not that of a closure by itself. */
export interface TransactionPlace {
  /** Lends the connection to run on. Default: one of the pool. */
  readonly use?: <T>(deadline: Deadline, run: (connection: Connection) => Promise<T>) => Promise<T>;
  /** Asked after a failure, besides `retry`. Default: yes. */
  readonly mayRunAgain?: () => boolean;
}

/**
 * Runs `fn` in a transaction on the primary and commits when it resolves. The closure may run more than once: again
 * after a deadlock, a lock time-out, a refusal, or a lost connection as long as COMMIT had not been sent; with
 * `exactlyOnce` also after a COMMIT that provably did not take place. Whatever `fn` itself throws rolls back and is
 * thrown on. Resolves to what `fn` gave, or to a `KeyedResult` with it.
 */
export async function runTransaction(
  services: Services,
  fn: (tx: Transaction) => Promise<unknown>,
  options: TransactionOptions | KeyedTransactionOptions | undefined,
  place: TransactionPlace = {},
): Promise<unknown> {
  checkClosure(fn);
  checkTransactionOptions(options);
  const { mayRunAgain = () => true, use = (until, run) => services.primary.use(until, run) } = place;
  services.scope.refuse('db.transaction()');
  const timeoutMs = options?.timeoutMs ?? services.config.transactionTimeoutMs;
  const deadline = startDeadline(timeoutMs, options?.signal);
  const once = Once.of(services.ledger, deadline, options);
  const session = services.sessions.current;
  try {
    return await withRetries(
      services,
      {
        role: 'primary',
        operation: 'transaction',
        idempotent: false,
        mayRetry: () => (options?.retry ?? true) && mayRunAgain(),
        deadline,
      },
      async (trace) => {
        const invalidation = new CommitInvalidation(services);
        return await invalidation.endWith(async () => {
          try {
            return await use(deadline, (connection) =>
              runOnce({ services, session, connection, deadline, options, once, trace, invalidation }, fn),
            );
          } catch (error) {
            if (once === undefined || trace.operation !== 'commit' || !(error instanceof Failed)) throw error;
            const result = await once.settle(error.failure);
            // Committed, but nobody has said where.
            session?.notePrimary();
            return result;
          }
        });
      },
    );
  } catch (error) {
    // It has read, and a COMMIT without an answer may have written.
    session?.notePrimary();
    throw error;
  }
}

interface Attempt {
  readonly services: Services;
  readonly session: Session | undefined;
  readonly connection: Connection;
  readonly deadline: Deadline;
  readonly options: TransactionOptions | KeyedTransactionOptions | undefined;
  readonly once: Once | undefined;
  readonly trace: AttemptTrace;
  readonly invalidation: CommitInvalidation;
}

async function runOnce(attempt: Attempt, fn: (tx: Transaction) => Promise<unknown>): Promise<unknown> {
  const { services, session, connection, deadline, options, once, trace, invalidation } = attempt;
  trace.server = connection.endpointName;
  trace.epoch = connection.epoch;
  const { config, tokens } = services;
  const tx = new Transaction(connection, deadline, {
    timezone: config.session.timezone,
    tokens,
    checkCache: (tables) => void followed(services, tables.map(tableIn)),
    tablesOf: (call) => writtenTables(services, call),
  });
  invalidation.of(tx);
  try {
    await once?.prepare(connection);
    for (const text of beginStatements(options)) await connection.run(ownCommand(text, 'other'), deadline);
    await once?.begin();
    const result = await services.scope.run(() => fn(tx));
    await tx.close();
    if (tx.spoiledBy !== undefined) throw tx.spoiledBy;
    refuseWhenLate(deadline);
    await once?.seal(result);
    await invalidation.announce(deadline);
    const answer = await commit(connection, once?.commitDeadline ?? deadline, trace);
    tx.committed(answer);
    invalidation.committed(answer);
    session?.noteAnswer(answer);
    return once === undefined ? result : once.value;
  } catch (error) {
    await tx.close();
    await abandon(attempt);
    if (error instanceof DoneBefore) {
      session?.notePrimary();
      return error.value;
    }
    // The closure may have wrapped or swallowed it, but what spoiled the transaction decides what happens next.
    const why = tx.spoiledBy ?? error;
    throw why instanceof Failed ? ofWholeTransaction(why) : why;
  }
}

async function commit(connection: Connection, deadline: Deadline, trace: AttemptTrace): Promise<Answer> {
  try {
    return await connection.run({ ...ownCommand('COMMIT', 'other'), phase: 'commit' }, deadline);
  } catch (error) {
    trace.operation = 'commit';
    throw error;
  }
}

/** Leaves nothing of the transaction behind on the server, as far as it can be reached. */
async function abandon({ services, connection, deadline }: Attempt): Promise<void> {
  if (connection.usable) {
    await connection
      .run(ownCommand('ROLLBACK', 'other'), new Deadline(rollbackTimeoutMs))
      .catch(() => connection.destroy());
    return;
  }
  if (!connection.inTransaction) return;
  const terminated = services.primary.terminate(connection);
  // Only what runs again has to know that the locks are gone.
  if (deadline.interruption() === undefined) await terminated;
}

function beginStatements(options: Attempt['options']): string[] {
  const start = options?.readOnly === true ? 'START TRANSACTION READ ONLY' : 'START TRANSACTION';
  const { isolation } = options ?? {};
  return isolation === undefined
    ? [start]
    : [`SET TRANSACTION ISOLATION LEVEL ${isolation.toUpperCase()}`, start];
}
