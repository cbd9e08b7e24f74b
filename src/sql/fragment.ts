import type { SqlValue } from './value.ts';

/**
 * A piece of SQL with its values, made by the `sql` tag; immutable, and usable inside other pieces.
 *
 * Only an instance counts as SQL: an object of the same shape that came from outside is refused as a value.
 */
export class SqlFragment {
  /** The text, with `?` where a value belongs. */
  readonly text: string;
  /** The values, in the order of the `?`. */
  readonly values: readonly SqlValue[];

  /** @internal Use the `sql` tag. The values are frozen, not copied. */
  constructor(text: string, values: readonly SqlValue[]) {
    this.text = text;
    this.values = Object.freeze(values);
    Object.freeze(this);
  }
}
