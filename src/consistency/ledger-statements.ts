import { type LedgerTable, quoted } from './ledger-table.ts';

/** The id of a transaction, and who wants it: another value for each call, so that two callers of one key differ. */
export interface LedgerEntry {
  readonly id: Buffer;
  readonly owner: Buffer;
}

/** Everything that vipsql says to its ledger. Values are hexadecimal: they mean the same under every `sql_mode`. */
export class LedgerStatements {
  readonly #table: string;

  constructor(table: LedgerTable) {
    this.#table = quoted(table);
  }

  /** The row of a transaction, as a part of it. */
  insert(entry: LedgerEntry): string {
    return this.#insert(entry, 1, undefined);
  }

  /** A row in place of a transaction that must not be committed any more. */
  fence(entry: LedgerEntry, lostServer: string | undefined): string {
    return this.#insert(entry, 0, lostServer);
  }

  /** Turns the fence into the row of a transaction, as a part of it. */
  claim({ id, owner }: LedgerEntry): string {
    return (
      `UPDATE ${this.#table} SET committed = 1, owner = ${bytes(owner)}, created_at = UTC_TIMESTAMP(6) ` +
      `WHERE id = ${bytes(id)} AND committed = 0`
    );
  }

  /** A write on a row that is there: once it is answered, so is what came before it in the binary log. */
  confirm(id: Buffer, lostServer: string | undefined): string {
    return (
      `UPDATE ${this.#table} SET created_at = UTC_TIMESTAMP(6), ` +
      `doubted_on = IF(committed, doubted_on, COALESCE(doubted_on, ${text(lostServer)})) WHERE id = ${bytes(id)}`
    );
  }

  read(id: Buffer): string {
    return `SELECT committed, owner, result FROM ${this.#table} WHERE id = ${bytes(id)}`;
  }

  /** The latest row, after whoever has it locked has ended. */
  readLocked(id: Buffer): string {
    return `${this.read(id)} FOR UPDATE`;
  }

  keepResult(id: Buffer, result: string): string {
    return `UPDATE ${this.#table} SET result = ${text(result)} WHERE id = ${bytes(id)}`;
  }

  /**
   * The oldest rows whose time is up. One that was in doubt on another server stays, until that server is the primary
   * again and holds it: then it cannot hold the commit that the row fences off.
   */
  expired(
    retentionMs: number,
    { primary, limit }: { readonly primary: string; readonly limit: number },
  ): string {
    return (
      `SELECT id FROM ${this.#table} WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL ${Math.ceil(retentionMs / 1000)} SECOND ` +
      `AND (doubted_on IS NULL OR doubted_on = ${text(primary)}) ORDER BY created_at LIMIT ${limit}`
    );
  }

  delete(ids: readonly Buffer[]): string {
    return `DELETE FROM ${this.#table} WHERE id IN (${ids.map(bytes).join(', ')})`;
  }

  #insert({ id, owner }: LedgerEntry, committed: 0 | 1, lostServer: string | undefined): string {
    return (
      `INSERT INTO ${this.#table} (id, owner, committed, created_at, doubted_on) ` +
      `VALUES (${bytes(id)}, ${bytes(owner)}, ${committed}, UTC_TIMESTAMP(6), ${text(lostServer)})`
    );
  }
}

function bytes(value: Buffer): string {
  return `x'${value.toString('hex')}'`;
}

/** Text as a literal. */
export function text(value: string | undefined): string {
  return value === undefined ? 'NULL' : `_utf8mb4 x'${Buffer.from(value, 'utf8').toString('hex')}'`;
}
