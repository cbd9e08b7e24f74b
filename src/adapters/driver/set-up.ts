import { escapeId } from 'mysql2';
import type { SessionConfig } from '../../config/types.ts';

/** Character sets that Node writes and reads as UTF-8, alone or with a collation. */
const utf8 = /^(utf8|utf8mb3|utf8mb4)(_\w+)?$/;

/** What `connection.charset` has to be; `undefined` for what it may be. */
export function charsetProblem(charset: unknown): string | undefined {
  if (charset === undefined || (typeof charset === 'string' && utf8.test(charset.toLowerCase())))
    return undefined;
  return "must be 'utf8', 'utf8mb3' or 'utf8mb4', or one of their collations";
}

/** What the options of a connection ask of a session beyond what the cluster has set up already. */
export function setUpStatements(
  settings: { readonly database?: string; readonly charset?: string },
  { database, charset }: Pick<SessionConfig, 'database' | 'charset'>,
): string[] {
  const statements: string[] = [];
  if (settings.database !== undefined && settings.database !== database) {
    statements.push(`USE ${escapeId(settings.database, true)}`);
  }
  const given = settings.charset?.toLowerCase();
  const [, name, suffix] = utf8.exec(given ?? '') ?? [];
  if (name !== undefined && given !== 'utf8mb4' && given !== charset.toLowerCase()) {
    statements.push(
      suffix === undefined ? `SET NAMES ${name}` : `SET NAMES ${name} COLLATE ${name}${suffix}`,
    );
  }
  return statements;
}
