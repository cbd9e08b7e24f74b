import type { MySqlTransactionConfig } from 'drizzle-orm/mysql-core';
import type { TransactionOptions } from '../../config/call-options.ts';
import { describeValue } from '../../config/redact.ts';
import { ConfigError } from '../../errors/errors.ts';

/** What Drizzle is told of a transaction, as vipsql takes it. @throws {@link ConfigError} */
export function transactionOptions(
  config: Partial<MySqlTransactionConfig> | undefined,
  exactlyOnce: boolean | undefined,
): TransactionOptions {
  const { isolationLevel, accessMode, withConsistentSnapshot = false } = config ?? {};
  if (withConsistentSnapshot) {
    const rule = 'is not possible: the snapshot of a transaction is taken by its first read';
    const received = describeValue(withConsistentSnapshot);
    throw new ConfigError([{ path: 'withConsistentSnapshot', rule, received }], {
      subject: 'transaction of vipsql/drizzle',
    });
  }
  const readOnly = accessMode === 'read only';
  return {
    isolation: isolationLevel,
    readOnly,
    // There is nothing in a transaction that only reads that could be done twice.
    exactlyOnce: readOnly ? undefined : exactlyOnce,
  };
}
