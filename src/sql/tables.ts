import { type CommonTable, CommonTables } from './common-tables.ts';
import { nameOf, type Scan } from './scan.ts';
import {
  ddl,
  ends,
  explainOptions,
  explains,
  listVerbs,
  noTable,
  notInsert,
  notUpdate,
  skipped,
} from './table-keywords.ts';

/** A table as a statement names it, without quotes. */
export interface TableRef {
  /** Undefined when the statement leaves it to the connection's database. */
  readonly schema?: string;
  readonly name: string;
}

/** What is known of the query between one pair of brackets. */
interface Level {
  /** A SELECT began here, so that a FROM is one of tables; `EXTRACT(YEAR FROM d)` has none. */
  select: boolean;
  /** A comma starts another table. */
  list: boolean;
  /** The next name is a table. */
  expect: boolean;
  /** How many common table expressions are visible outside. */
  readonly outer: number;
  /** The common table expression whose body this is. */
  readonly body: CommonTable | undefined;
}

/**
 * The tables that a text names, each once: after FROM, JOIN, INTO, UPDATE, DELETE … USING and TABLE, in lists,
 * subqueries, derived tables, common table expressions and DDL.
 *
 * A common table expression is no table where it is visible. Where the text is not understood, the name is reported: a
 * guard then refuses too much rather than too little.
 */
export function tablesOf(scanned: Scan): readonly TableRef[] {
  return new TableScanner(scanned).run();
}

class TableScanner {
  readonly #scan: Scan;
  readonly #found = new Map<string, TableRef>();
  readonly #common: CommonTables;
  #levels: Level[] = [];
  #level: Level = newLevel(0);
  #verb = '';
  #deletes = false;
  #onNamesTable = false;

  constructor(scanned: Scan) {
    this.#scan = scanned;
    this.#common = new CommonTables(scanned);
  }

  run(): readonly TableRef[] {
    const { tokens, keys } = this.#scan;
    let i = 0;
    while (i < tokens.length) {
      const token = tokens[i];
      const key = keys[i] ?? '';
      if (token === undefined) break;
      if (token.kind === 'operator') {
        this.#operator(key, i);
        i++;
      } else if (this.#level.expect && this.#isName(i, key)) {
        i = this.#addTable(i);
      } else {
        if (token.kind === 'word') this.#word(key, i);
        else this.#level.expect = false;
        i++;
      }
    }
    return Object.freeze([...this.#found.values()]);
  }

  #operator(key: string, i: number): void {
    const level = this.#level;
    switch (key) {
      case '(':
        this.#open(i);
        break;
      case ')':
        this.#close(i);
        break;
      case ',':
        level.expect = level.list;
        break;
      case ';':
        this.#reset();
        break;
      case '{': // { OJ a LEFT JOIN b ON … }
      case '.':
        break;
      default:
        level.expect = false;
    }
  }

  #reset(): void {
    this.#levels = [];
    this.#common.clear();
    this.#level = newLevel(0);
    this.#verb = '';
    this.#deletes = false;
    this.#onNamesTable = false;
  }

  #open(i: number): void {
    const parent = this.#level;
    const level = newLevel(this.#common.count, this.#common.enter(i));
    // FROM (a, b) and FROM (SELECT …): the next word tells which
    level.expect = level.list = parent.expect;
    parent.expect = false;
    this.#levels.push(parent);
    this.#level = level;
  }

  #close(i: number): void {
    const parent = this.#levels.pop();
    if (parent === undefined) return;
    this.#common.leave(i, this.#level);
    this.#level = parent;
  }

  #isName(i: number, key: string): boolean {
    const { tokens, keys, sql } = this.#scan;
    const token = tokens[i];
    if (token?.kind === 'identifier') return true;
    if (token?.kind === 'string') return sql.charCodeAt(token.start) === 34; // a name under ANSI_QUOTES
    if (token?.kind !== 'word' || skipped.has(key) || noTable.has(key)) return false;
    if (key === 'OJ') return i > 0 && keys[i - 1] !== '{';
    if (key === 'LATERAL' || key === 'JSON_TABLE') return keys[i + 1] !== '(';
    return key !== 'DUMPFILE' || tokens[i + 1]?.kind !== 'string';
  }

  #addTable(i: number): number {
    const { keys, tokens } = this.#scan;
    const first = nameOf(this.#scan, i);
    const qualified = keys[i + 1] === '.' && tokens[i + 2] !== undefined;
    const name = qualified ? nameOf(this.#scan, i + 2) : first;
    this.#level.expect = false;
    if (qualified || !this.#common.has(first)) {
      const id = `${qualified ? first.toLowerCase() : ''}\0${name.toLowerCase()}`;
      if (!this.#found.has(id))
        this.#found.set(id, Object.freeze(qualified ? { schema: first, name } : { name }));
    }
    return qualified ? i + 3 : i + 1;
  }

  #expect(list: boolean): void {
    this.#level.expect = true;
    this.#level.list = list;
  }

  #word(key: string, i: number): void {
    const { keys } = this.#scan;
    const previous = (i > 0 ? keys[i - 1] : '') ?? '';
    const next = keys[i + 1] ?? '';
    const level = this.#level;
    if (previous === '.') return; // a column, whatever its name
    const starts = this.#verb === '';
    if (starts) this.#verb = key;
    if (level.expect && (skipped.has(key) || key === 'LATERAL' || key === 'OJ')) return;
    level.expect = false;
    if (ends.has(key) || (key === 'DUPLICATE' && previous === 'ON')) level.list = false;

    switch (key) {
      case 'SELECT':
        level.select = true;
        break;
      case 'WITH':
        this.#common.startAt(i);
        break;
      case 'FROM':
        if (level.select || this.#levels.length === 0) this.#expect(true);
        break;
      case 'JOIN':
        if (previous !== 'FOR') this.#expect(true); // USE INDEX FOR JOIN
        break;
      case 'STRAIGHT_JOIN':
        if (level.list) this.#expect(true); // else the modifier of SELECT
        break;
      case 'INTO':
        this.#expect(false);
        break;
      case 'INSERT':
      case 'REPLACE':
        if (!notInsert.has(next) && previous !== 'OR') this.#expect(false);
        break;
      case 'UPDATE':
        // MariaDB: SET STATEMENT … FOR UPDATE t
        if (!notUpdate.has(previous) || (previous === 'FOR' && this.#verb === 'SET')) this.#expect(true);
        break;
      case 'DELETE':
        this.#deletes = true;
        break;
      case 'USING':
        if (next !== '(' && this.#levels.length === 0 && this.#deletes) this.#expect(true);
        break;
      case 'FOR':
        if (next === 'UPDATE' || next === 'SHARE') level.list = false;
        break;
      case 'TABLE':
        this.#expect(listVerbs.has(this.#verb));
        break;
      case 'TABLES':
        if (listVerbs.has(this.#verb)) this.#expect(true);
        break;
      case 'VIEW':
      case 'SEQUENCE':
        if (ddl.has(this.#verb) && this.#levels.length === 0) this.#expect(this.#verb === 'DROP');
        break;
      case 'INDEX':
      case 'TRIGGER':
        this.#onNamesTable = ddl.has(this.#verb) && this.#levels.length === 0;
        break;
      case 'ON':
        if (this.#onNamesTable) this.#expect(false);
        this.#onNamesTable = false;
        break;
      case 'TO':
        if (this.#verb === 'RENAME') this.#expect(true);
        break;
      case 'REFERENCES':
        this.#expect(false);
        break;
      case 'LIKE':
        if (this.#verb === 'CREATE' && !level.select) this.#expect(false);
        break;
      case 'TRUNCATE':
        if (next !== '(' && next !== 'PARTITION') this.#expect(false);
        break;
      case 'HANDLER':
        if (starts) this.#expect(false);
        break;
      default:
        if (starts && explains.has(key) && !explainOptions.has(next)) this.#expect(false);
    }
  }
}

function newLevel(outer: number, body?: CommonTable): Level {
  return { select: false, list: false, expect: false, outer, body };
}
