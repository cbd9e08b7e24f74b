import type { SelectedFieldsOrdered } from 'drizzle-orm/mysql-core';
import * as utils from 'drizzle-orm/utils';

/** Drizzle's own maker of a result of a row; its typings leave it out. */
export const { mapResultRow } = utils as unknown as {
  mapResultRow(
    fields: SelectedFieldsOrdered,
    row: readonly unknown[],
    joinsNotNullable: Record<string, boolean> | undefined,
  ): unknown;
};
