import { nameOf, type Scan } from './scan.ts';

/** A common table expression of a WITH. */
export interface CommonTable {
  readonly name: string;
  readonly recursive: boolean;
}

/** Which common table expressions are visible at a place of a text that is read from left to right. */
export class CommonTables {
  readonly #scan: Scan;
  readonly #bodies = new Map<number, CommonTable>();
  readonly #visible: string[] = [];

  constructor(scanned: Scan) {
    this.#scan = scanned;
  }

  /** How many are visible; {@link leave} goes back to that. */
  get count(): number {
    return this.#visible.length;
  }

  /** Minds the definition after the WITH at an index; `WITH ROLLUP` and the like define nothing. */
  startAt(index: number): void {
    const recursive = this.#scan.keys[index + 1] === 'RECURSIVE';
    this.#define(recursive ? index + 2 : index + 1, recursive);
  }

  /** The bracket at an index opens; what it returns is the expression whose body begins there, if one does. */
  enter(index: number): CommonTable | undefined {
    const body = this.#bodies.get(index);
    // Without RECURSIVE the name means the table of that name inside the body.
    if (body?.recursive) this.#visible.push(body.name);
    return body;
  }

  /** The bracket closes at an index: what was defined inside is gone, its own name is there from now on. */
  leave(index: number, { outer, body }: { outer: number; body: CommonTable | undefined }): void {
    this.#visible.length = outer;
    if (body === undefined) return;
    this.#visible.push(body.name);
    const { keys } = this.#scan;
    let next = index + 1;
    if (keys[next] === 'CYCLE') next = this.#find('RESTRICT', next) + 1;
    if (keys[next] === ',') this.#define(next + 1, body.recursive);
  }

  /** A statement ended, and all its expressions with it. */
  clear(): void {
    this.#visible.length = 0;
  }

  has(name: string): boolean {
    return this.#visible.includes(name.toLowerCase());
  }

  /** Remembers where the body of `name [(columns)] AS (…)` opens. */
  #define(at: number, recursive: boolean): void {
    const { keys } = this.#scan;
    let as = at + 1;
    if (keys[as] === '(') as = this.#find(')', as + 1) + 1;
    if (keys[as] !== 'AS' || keys[as + 1] !== '(') return;
    this.#bodies.set(as + 1, { name: nameOf(this.#scan, at).toLowerCase(), recursive });
  }

  /** Where the key stands next, not looking past a bracket. */
  #find(key: string, from: number): number {
    const { keys } = this.#scan;
    let i = from;
    while (i < keys.length && keys[i] !== key && keys[i] !== '(' && keys[i] !== ')') i++;
    return i;
  }
}
