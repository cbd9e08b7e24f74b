import { VipsqlError } from '../../src/index.ts';

/** The error of vipsql in a chain of causes; libraries wrap what they catch. */
export function vipsqlErrorIn(error: unknown): VipsqlError {
  for (const each of chainOf(error)) if (each instanceof VipsqlError) return each;
  throw new Error('there is no error of vipsql in it', { cause: error });
}

/** The codes in a chain of causes, the outermost first. */
export function codesIn(error: unknown): unknown[] {
  return chainOf(error).flatMap((each) => ('code' in each ? [each.code] : []));
}

/** Sequelize and TypeORM have names of their own for the cause. */
interface Wrapping extends Error {
  readonly parent?: unknown;
  readonly driverError?: unknown;
}

function chainOf(error: unknown): readonly Error[] {
  if (!(error instanceof Error)) return [];
  const { cause, parent, driverError }: Wrapping = error;
  return [error, ...chainOf(cause ?? parent ?? driverError)];
}
