import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { LabFault, LabOptions } from '../../../src/testing/index.ts';
import { optionNames } from '../../../src/testing/lab-options.ts';

const docs = readFileSync(new URL('../../../docs/testing.md', import.meta.url), 'utf8');

/** A kind or option that the types gain must be added here, and then to the docs. */
const faultKinds: Readonly<Record<LabFault['kind'], true>> = {
  kill: true,
  stop: true,
  start: true,
  freeze: true,
  thaw: true,
  failover: true,
  'move-vip': true,
  'black-hole': true,
  refuse: true,
  answer: true,
  'read-only': true,
  'stop-applier': true,
  'start-applier': true,
  'stop-receiver': true,
  'start-receiver': true,
};
const options: Readonly<Record<keyof LabOptions, true>> = {
  vendor: true,
  replicas: true,
  redis: true,
  semiSync: true,
  binaries: true,
  serverOptions: true,
  onProgress: true,
};

describe('docs/testing.md', () => {
  it.each(Object.keys(faultKinds))('has the fault %s in its table', (kind) => {
    expect(docs).toMatch(new RegExp(`^\\| .*(kind: '${kind}'|\`${kind}\`)`, 'm'));
  });

  it.each(Object.keys(options))('has the option %s in its table', (option) => {
    expect(docs).toContain(`| \`${option}\` |`);
  });

  it('knows the options that the code checks', () => {
    expect([...optionNames].sort()).toEqual(Object.keys(options).sort());
  });

  it('names no fault and no option that does not exist', () => {
    const kinds = [...docs.matchAll(/kind: '([a-z-]+)'/g)].map(([, kind]) => kind);
    expect(kinds.filter((kind) => !(String(kind) in faultKinds))).toEqual([]);
    const rows = [...docs.matchAll(/^\| `([a-zA-Z]+)` \| (?!.*lab\.)/gm)].map(([, option]) => option);
    expect(rows.filter((option) => !(String(option) in options))).toEqual([]);
  });
});
