import { numberOptions, type OptionFacts, options } from '../../../src/config/defaults.ts';

/** The rows that docs/configuration.md has to have, one per option. */
export function expectedRows(): readonly string[] {
  return Object.entries(options).map(([path, facts]) => {
    const value = facts.default === undefined ? '–' : `\`${facts.default}\``;
    return `| \`${path}\` | ${typeOf(path, facts)} | ${value} | ${facts.effect} | ${facts.off === '-' ? '–' : facts.off} |`;
  });
}

function typeOf(path: string, { type }: OptionFacts): string {
  if (!(path in numberOptions)) return type;
  const { min, max, orZero } = { orZero: false, ...numberOptions[path as keyof typeof numberOptions] };
  return `${type}, ${min} to ${max}${orZero ? ' or 0' : ''}`;
}
