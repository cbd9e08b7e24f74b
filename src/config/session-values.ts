const collations = [
  'utf8mb4_general_ci',
  'utf8mb4_bin',
  'utf8mb4_unicode_ci',
  'utf8mb4_unicode_520_ci',
  'utf8mb4_0900_ai_ci',
  'utf8mb4_0900_as_cs',
  'utf8mb4_0900_bin',
] as const;

/** The collation of a connection, by the `charset` option. Those with 0900 do not exist on MariaDB before 11.4. */
export function collationOf(charset: string): string | undefined {
  const lower = charset.toLowerCase();
  if (lower === 'utf8mb4') return collations[0];
  return collations.find((collation) => collation === lower);
}

export const charsetRule = `must be 'utf8mb4' or one of ${collations.map((name) => `'${name}'`).join(', ')}`;

/** A UTC offset as `+HH:MM`; `undefined` for what is none, or is outside of what MySQL accepts (-13:59 to +14:00). */
export function utcOffset(timezone: string): string | undefined {
  if (timezone === 'Z') return '+00:00';
  const [, sign, hours, minutes] = /^([+-])(\d\d):([0-5]\d)$/.exec(timezone) ?? [];
  if (sign === undefined) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  if (offset < -(13 * 60 + 59) || offset > 14 * 60) return undefined;
  return offset === 0 ? '+00:00' : timezone;
}

export const timezoneRule =
  "must be a UTC offset, '+HH:MM', '-HH:MM' or 'Z'; names of zones have hours that occur twice and cannot be read back";

/** The rule that an entry of a list of tables breaks, if any; `instead`: of a pattern that stands for all of them. */
export function tablePatternProblem(pattern: unknown, instead: string): string | undefined {
  const rule = "must be 'table', 'schema.table' or a pattern like 'inventory_*'";
  if (typeof pattern !== 'string') return rule;
  if (/[`'"]/.test(pattern)) return `${rule}, without quotes`;
  if (!/^[\p{L}\p{N}_$*-]+(?:\.[\p{L}\p{N}_$*-]+)?$/u.test(pattern)) return rule;
  return /^[*.]+$/.test(pattern) ? `${rule}; ${instead}` : undefined;
}
