/** Where the commit ledger is. */
export interface LedgerTable {
  readonly schema: string;
  readonly name: string;
}

/** What `information_schema` says of a table that may be the ledger. */
export interface TableShape {
  /** `undefined`: there is no such table, or the account may not see it. */
  readonly engine: string | undefined;
  /** Column types by name, as `varbinary(255)`. */
  readonly columns: ReadonlyMap<string, string>;
  /** The columns of each index, in order. */
  readonly indexes: ReadonlyMap<string, readonly string[]>;
}

const columnTypes: Readonly<Record<string, RegExp>> = {
  id: /^varbinary\(255\)$/,
  owner: /^binary\(16\)$/,
  committed: /^tinyint(?:\(\d+\))?$/,
  created_at: /^datetime\(6\)$/,
  doubted_on: /^varchar\(255\)$/,
  result: /^text$/,
};

/** The statement that creates the ledger. */
export function ledgerDdl(table: LedgerTable): string {
  return `CREATE TABLE IF NOT EXISTS ${quoted(table)} (
  id VARBINARY(255) NOT NULL,
  owner BINARY(16) NOT NULL,
  committed TINYINT NOT NULL,
  created_at DATETIME(6) NOT NULL,
  doubted_on VARCHAR(255) NULL,
  result TEXT NULL,
  PRIMARY KEY (id),
  KEY created_at (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;
}

/** What is wrong with a table that is there; `undefined` when it can be the ledger. */
export function shapeProblem({ engine, columns, indexes }: TableShape): string | undefined {
  if (engine?.toLowerCase() !== 'innodb') return `its engine is ${engine}, not InnoDB`;
  for (const [name, type] of Object.entries(columnTypes)) {
    const found = columns.get(name);
    if (found === undefined) return `the column ${name} is missing`;
    if (!type.test(found)) return `the column ${name} is a ${found}`;
  }
  if (indexes.get('PRIMARY')?.join() !== 'id') return 'its primary key is not (id)';
  if (![...indexes.values()].some(([first]) => first === 'created_at'))
    return 'no index begins with created_at';
  return undefined;
}

/** The name as SQL takes it. */
export function quoted({ schema, name }: LedgerTable): string {
  return [schema, name].map((part) => `\`${part.replaceAll('`', '``')}\``).join('.');
}
