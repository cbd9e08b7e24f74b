import type { z } from 'zod';
import { ConfigError, type ConfigIssue } from '../errors/errors.ts';
import { buildConfig } from './build.ts';
import { Draft, type Fields } from './draft.ts';
import { describeValue, isSecretName } from './redact.ts';
import { crossFieldIssues } from './rules.ts';
import { clusterSchema } from './schema.ts';
import { keysBelow, nearest, unknownKeyRule } from './suggest.ts';
import type { ResolvedConfig } from './types.ts';

/**
 * Checks a configuration and completes it with the defaults. The result is frozen and shares no object with the input.
 *
 * @throws {ConfigError} naming every option that is wrong, its rule and the value received, without secrets.
 */
export function resolveConfig(input: unknown): ResolvedConfig {
  const given = withoutUndefined(input);
  const draft = new Draft(given);
  const shapeIssues = clusterSchema.safeParse(given).error?.issues ?? [];
  const issues = [...shapeIssues.flatMap((issue) => configIssues(issue, given)), ...crossFieldIssues(draft)];
  if (issues.length > 0) throw new ConfigError(issues.filter(isFirstOfItsPath));
  return buildConfig(draft);
}

function isFirstOfItsPath({ path }: ConfigIssue, index: number, all: readonly ConfigIssue[]): boolean {
  return all.findIndex((other) => other.path === path) === index;
}

function configIssues(issue: z.core.$ZodIssue, input: unknown): readonly ConfigIssue[] {
  const value = issue.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown>)[key],
    input,
  );
  if (issue.code !== 'unrecognized_keys') {
    return [
      {
        path: pathText(issue.path) || 'config',
        rule: issue.message,
        received: describeValue(value, issue.path),
      },
    ];
  }
  const parent = pathText(issue.path).replace(/\[\d+\]/g, '[]');
  return issue.keys.map((key) => ({
    path: pathText([...issue.path, key]),
    rule: unknownKeyRule(parent, key),
    received: describeUnknown(key, (value as Fields)[key], parent),
  }));
}

/** Under a misspelt name anything may stand, a password as well: text is not shown. */
function describeUnknown(key: string, value: unknown, parent: string): string {
  const meant = nearest(key, keysBelow(parent)) ?? key;
  if (typeof value === 'string' && !isSecretName(meant)) return 'a text';
  return describeValue(value, [key, meant]);
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${String(key)}`))
    .join('');
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (!isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, withoutUndefined(inner)]),
  );
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
