import { describeValue } from '../../config/redact.ts';
import { ConfigError, type ConfigIssue } from '../../errors/errors.ts';
import { charsetProblem } from '../driver/set-up.ts';

/** Options of Knex's `connection` that would change what a statement is, or what it may do. */
const refused: Readonly<Record<string, string>> = {
  multipleStatements: 'is not possible: vipsql sends one statement at a time',
  namedPlaceholders: 'is not possible: Knex binds `:name` itself',
  queryFormat: 'is not possible: vipsql must know how values are escaped',
  infileStreamFactory: 'is not possible: vipsql sends no local files',
  flags: 'is not possible: vipsql chooses the capabilities of its connections',
  uri: 'must be given by its parts: what a URL says of values would be lost',
};

/** What cannot be had with vipsql, of the configuration that Knex is given. @throws {@link ConfigError} */
export function checkKnexConfig(config: {
  readonly connection?: unknown;
  readonly connectionPool?: unknown;
}): void {
  const issues: ConfigIssue[] = [];
  if (config.connectionPool !== undefined) {
    const rule = 'is not possible: the connections are those of the cluster';
    issues.push({ path: 'connectionPool', rule, received: describeValue(config.connectionPool) });
  }
  const { connection } = config;
  if (typeof connection === 'object' && connection !== null) {
    for (const [name, value] of Object.entries(connection)) {
      const rule = name === 'charset' ? charsetProblem(value) : refusedBy(name);
      if (rule === undefined || value === undefined || value === false) continue;
      issues.push({ path: `connection.${name}`, rule, received: describeValue(value, [name]) });
    }
  }
  if (issues.length > 0) throw new ConfigError(issues);
}

function refusedBy(name: string): string | undefined {
  return Object.hasOwn(refused, name) ? refused[name] : undefined;
}
