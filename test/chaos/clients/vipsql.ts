import { createCluster, type EventName, InDoubtError, VipsqlError } from '../../../src/index.ts';
import type { Client, ClientFailure, ClientTarget } from '../client.ts';

/** The defaults of `timeoutMs` and `transactionTimeoutMs`. */
const deadlines = { statementMs: 10_000, transactionMs: 30_000 };

/** Events that say why writes wait, what became of COMMITs without an answer, or that the set-up is wrong. */
const notices = [
  'primary:behind',
  'commit:resolved',
  'positions:unavailable',
  'host:blocked',
] as const satisfies readonly EventName[];

/** vipsql with its default settings. */
export function vipsqlClient(target: ClientTarget): Client {
  return openVipsql(target, false);
}

/**
 * vipsql misused: `idempotent` on writes that are not. It is the checker's own test: with this client there have to be
 * duplicates.
 */
export function repeatingClient(target: ClientTarget): Client {
  return openVipsql(target, true);
}

function openVipsql({ masters: _masters, ...address }: ClientTarget, idempotent: boolean): Client {
  const db = createCluster(address);
  const primary = db.primary();
  const replica = db.replica();
  return {
    deadlines,
    ready: () => db.ready({ timeoutMs: 30_000 }),
    execute: (sql, values) => primary.execute(sql, values, { idempotent }),
    transaction: (work) => db.transaction((tx) => work((sql, values) => tx.execute(sql, values))),
    exactlyOnce: {
      transaction: (work) =>
        db.transaction((tx) => work((sql, values) => tx.execute(sql, values)), { exactlyOnce: true }),
      keyed: async ({ key, id }, work) => {
        const { done, result } = await db.transaction(
          async (tx) => {
            const { epoch } = await work((sql, values) => tx.execute(sql, values));
            return { id, epoch: epoch ?? null };
          },
          { exactlyOnce: { key } },
        );
        return done ? { epoch: undefined, doneBy: result.id } : { epoch: result.epoch ?? undefined };
      },
    },
    read: (from, sql, values) =>
      from === 'replica' ? replica.query(sql, values) : primary.query(sql, values, { idempotent: true }),
    describe: describeVipsqlError,
    onNotice: (listener) => {
      for (const name of notices) db.on(name, (event) => listener(name, JSON.stringify(event)));
    },
    close: () => db.close(),
  };
}

function describeVipsqlError(error: unknown): ClientFailure {
  if (!(error instanceof VipsqlError)) {
    return { code: 'not a VipsqlError', outcome: 'unknown', message: String(error), epoch: undefined };
  }
  const { outcome, message, epoch } = error;
  const missing = error instanceof InDoubtError ? error.missingProof : undefined;
  const code = missing === undefined ? error.code : `${error.code} ${missing}`;
  return { code, outcome, message, epoch };
}
