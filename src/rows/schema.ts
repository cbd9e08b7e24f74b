import { RowSchemaError } from '../errors/errors.ts';

/** One complaint of a schema. */
export interface SchemaIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** What a schema says of a row. */
export type SchemaVerdict<Row> =
  | { readonly success: true; readonly data: Row }
  | { readonly success: false; readonly error: { readonly issues: readonly SchemaIssue[] } };

/** The part of a zod schema that rows are checked with. */
export interface SchemaLike<Row> {
  safeParse(row: unknown): SchemaVerdict<Row>;
}

/**
 * The rows as the schema makes them, when each fits.
 *
 * @throws RowSchemaError with the index of the first row that does not fit and the path in it; values stay out of it.
 */
export function applySchema<Row>(rows: readonly unknown[], schema: SchemaLike<Row>): Row[] {
  return rows.map((row, rowIndex) => {
    const verdict = schema.safeParse(row);
    if (verdict.success) return verdict.data;
    const { issues } = verdict.error;
    const [first] = issues;
    const path = first === undefined ? '' : first.path.map(String).join('.');
    const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
    throw new RowSchemaError(
      `row ${rowIndex}${path === '' ? '' : `, ${path}`}: ${first?.message ?? 'does not fit its schema'}${more}`,
      { rowIndex, path },
    );
  });
}
