import { PrimaryRequiredError } from '../errors/errors.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import type { Connection } from '../pool/connection.ts';
import { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { interruptedWait } from '../resilience/interruption.ts';
import { compileTablePatterns } from '../sql/table-patterns.ts';
import type { TableRef } from '../sql/tables.ts';
import type { Primary } from '../topology/primary.ts';
import { askTypes, askWhyOnlyPrimary, isOfServer, keyOf, type Looked } from './view-questions.ts';

export interface PrimaryOnlyOptions {
  readonly patterns: readonly string[];
  /** The schema of a table that a statement names without one. */
  readonly database: string | undefined;
  readonly primary: Pick<Primary, 'use'>;
  readonly events: ClusterEmitter;
  readonly timeoutMs: number;
}

/** A table that replicas are not asked for. */
export interface PrimaryTable {
  /** As it stands in the statement. */
  readonly table: string;
  /** Behind "The table x ". */
  readonly why: string;
}

/** How long a change of a view, or a new one, may go unnoticed while the primary answers. */
const refreshMs = 15_000;

/** Names kept; beyond that the oldest is looked up again when it is met again. */
const maxKnown = 1_000;

/** Knows which tables are read on the primary only: those of the configuration, and views that read one of them. */
export class PrimaryOnly {
  readonly #options: PrimaryOnlyOptions;
  readonly #isListed: (table: TableRef) => boolean;
  /** What was found out about each name that is not listed. */
  readonly #known = new Map<
    string,
    { readonly table: Required<TableRef>; readonly why: string | undefined }
  >();
  readonly #underway = new Map<string, Promise<Looked>>();
  readonly #told = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #isRefreshing = false;
  #closed = false;

  constructor(options: PrimaryOnlyOptions) {
    this.#options = options;
    this.#isListed = compileTablePatterns(options.patterns);
  }

  /** The first of them that is read on the primary only; `'unknown'` while that has to be looked up. */
  find(tables: readonly TableRef[]): PrimaryTable | 'unknown' | undefined {
    if (this.#options.patterns.length === 0) return undefined;
    let isUnknown = false;
    for (const table of tables) {
      if (this.#isListed(table)) return { table: nameOf(table), why: 'is configured as primaryOnly' };
      const full = this.#located(table);
      if (full === undefined) continue;
      const known = this.#known.get(keyOf(full));
      if (known?.why !== undefined) return { table: nameOf(table), why: known.why };
      isUnknown ||= known === undefined;
    }
    return isUnknown ? 'unknown' : undefined;
  }

  /**
   * The same, after names that were not met before have been looked up on the primary. Rejects with {@link Failed} when
   * the primary cannot be asked before the deadline.
   */
  async lookUp(tables: readonly TableRef[], deadline: Deadline): Promise<PrimaryTable | undefined> {
    for (const table of tables) {
      const found = this.find([table]);
      if (found === undefined) continue;
      if (found !== 'unknown') return found;
      const full = this.#located(table) as Required<TableRef>;
      const { why } = await within(deadline, this.#look(full));
      if (why !== undefined) return { table: nameOf(table), why };
    }
    return undefined;
  }

  /**
   * Learns every name of the database from a primary that has just opened: what a read meets first while none answers
   * would be refused.
   */
  learn(): void {
    if (this.#options.patterns.length > 0) void this.#refresh();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  /** With its schema; `undefined` for what needs no look: tables of the server itself, and what no server will find. */
  #located({ schema = this.#options.database, name }: TableRef): Required<TableRef> | undefined {
    return schema === undefined || isOfServer(schema) ? undefined : { schema, name };
  }

  /** All who ask for one name at the same time share one look. */
  #look(table: Required<TableRef>): Promise<Looked> {
    const key = keyOf(table);
    const look = this.#underway.get(key) ?? this.#ask(table).finally(() => this.#underway.delete(key));
    this.#underway.set(key, look);
    return look;
  }

  async #ask(table: Required<TableRef>): Promise<Looked> {
    const looked = await this.#use((connection, deadline) =>
      askWhyOnlyPrimary(connection, table, this.#isListed, deadline),
    );
    this.#keep(table, looked);
    return looked;
  }

  #use<T>(ask: (connection: Connection, deadline: Deadline) => Promise<T>): Promise<T> {
    const { primary, timeoutMs } = this.#options;
    const deadline = new Deadline(timeoutMs);
    return primary.use(deadline, (connection) => ask(connection, deadline), true);
  }

  #keep(table: Required<TableRef>, { why, unreadable }: Looked): void {
    if (this.#closed) return;
    const key = keyOf(table);
    this.#known.delete(key);
    this.#known.set(key, { table, why });
    if (this.#known.size > maxKnown) this.#known.delete(this.#known.keys().next().value as string);
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => void this.#refresh(), refreshMs);
      this.#timer.unref();
    }
    if (unreadable === undefined || this.#told.has(unreadable)) return;
    this.#told.add(unreadable);
    this.#options.events.emit('view:unreadable', {
      view: unreadable,
      remedy: `GRANT SELECT, SHOW VIEW ON ${unreadable} to the account that vipsql uses on the primary.`,
    });
  }

  /** What cannot be looked up now stays as it was found last. */
  async #refresh(): Promise<void> {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    const { database } = this.#options;
    const schemas = new Set([...this.#known.values()].map(({ table }) => table.schema));
    if (database !== undefined) schemas.add(database);
    for (const schema of schemas) await this.#refreshSchema(schema).catch(() => {});
    this.#isRefreshing = false;
  }

  async #refreshSchema(schema: string): Promise<void> {
    const types = await this.#use((connection, deadline) => askTypes(connection, schema, deadline));
    for (const name of this.#namesOf(schema, types)) {
      if (this.#closed) return;
      const type = types.get(name);
      // A view, or what has gone, or goes by another spelling, is asked for by its name.
      if (type === undefined || type === 'VIEW') await this.#look({ schema, name });
      else this.#keep({ schema, name }, { why: undefined, unreadable: undefined });
    }
  }

  /** The known names of a schema, and of the database the others as well while there is room. */
  #namesOf(schema: string, types: ReadonlyMap<string, string>): Set<string> {
    const inSchema = [...this.#known.values()].filter(({ table }) => table.schema === schema);
    const names = new Set(inSchema.map(({ table }) => table.name));
    if (schema !== this.#options.database) return names;
    const room = maxKnown - this.#known.size + names.size;
    for (const name of types.keys()) if (names.size < room) names.add(name);
    return names;
  }
}

/** The error for a replica handle. */
export function primaryRequired({ table, why }: PrimaryTable, cause?: unknown): PrimaryRequiredError {
  return new PrimaryRequiredError(
    `The table ${table} ${why}: a replica may lag and was not asked. Use db.primary() for this statement.`,
    { table, cause },
  );
}

/** Waits for what others wait for too, until the deadline of one of them. */
function within<T>(deadline: Deadline, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = deadline.onInterrupt((interruption) => {
      const message = 'the primary had not told in time whether a view hides a primaryOnly table';
      reject(new Failed(interruptedWait(interruption, 'failover', message)));
    });
    work.then(resolve, reject).finally(cancel);
  });
}

function nameOf({ schema, name }: TableRef): string {
  return schema === undefined ? name : `${schema}.${name}`;
}
