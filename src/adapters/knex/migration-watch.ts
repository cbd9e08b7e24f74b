import type { RawRows } from '../../pool/command.ts';
import type { DriverQuery } from '../driver/driver-query.ts';

/** How Knex takes and frees the lock of its migrations, whatever its table is called. */
const lockUpdate = /^update [`\w.]+_lock`? set `is_locked` = \?/;

/** A lock that is not freed, because its migration has failed, counts no longer than this. */
const longestRunMs = 3_600_000;

/**
 * Whether migrations run through the client: they begin by taking a lock and end by freeing it. What moves much data may
 * take as long as it takes meanwhile.
 */
export class MigrationWatch {
  #lockedAt = Number.NEGATIVE_INFINITY;

  get running(): boolean {
    return performance.now() - this.#lockedAt < longestRunMs;
  }

  /** Takes note of a statement and its answer. A lock that somebody else has is not changed by it. */
  executed({ sql, values }: DriverQuery, answer: RawRows): void {
    if (!sql.startsWith('update') || !lockUpdate.test(sql)) return;
    if (values?.[0] !== 1) this.#lockedAt = Number.NEGATIVE_INFINITY;
    else if ('affectedRows' in answer && answer.affectedRows === 1) this.#lockedAt = performance.now();
  }
}
