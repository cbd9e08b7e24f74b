type Space = ' ' | '\n' | '\t' | '\r';

type Trimmed<S extends string> = S extends `${Space | '('}${infer Rest}` ? Trimmed<Rest> : S;

/** The text up to each character that may end a word; the shortest of them is the first word. */
type Beginnings<S extends string> = S extends `${infer Word}${Space | '(' | ';'}${string}` ? Word : S;

/** Verbs that begin no read. */
type OtherVerb =
  | 'INSERT'
  | 'UPDATE'
  | 'DELETE'
  | 'REPLACE'
  | 'CREATE'
  | 'ALTER'
  | 'DROP'
  | 'TRUNCATE'
  | 'RENAME'
  | 'LOAD'
  | 'CALL'
  | 'DO'
  | 'SET'
  | 'USE'
  | 'LOCK'
  | 'UNLOCK'
  | 'BEGIN'
  | 'START'
  | 'COMMIT'
  | 'ROLLBACK'
  | 'GRANT'
  | 'REVOKE'
  | 'OPTIMIZE'
  | 'REPAIR'
  | 'FLUSH'
  | 'KILL';

type VerbOf<S extends string> = Extract<Uppercase<Beginnings<Trimmed<S>>>, OtherVerb>;

type ReadOr<S, Verb extends string> = [Verb] extends [never]
  ? S
  : `${Verb} is no read: use db.primary() or db.transaction() for it`;

/**
 * A statement for a replica: of a literal that begins with a verb that writes it makes a type that says what to use
 * instead. A text whose type is `string` passes here and is checked when it is used, as is everything behind the verb.
 */
export type ReadSql<S extends string> = string extends S ? S : ReadOr<S, VerbOf<S>>;
