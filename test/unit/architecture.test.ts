import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const src = fileURLToPath(new URL('../../src', import.meta.url));

/** From the top down; a file imports from its own folder and from the rows below. */
const layers: readonly (readonly string[])[] = [
  ['index.ts', 'adapters'],
  ['cluster.ts'],
  ['handles'],
  ['routing', 'cache'],
  ['topology'],
  ['pool'],
  ['resilience', 'consistency', 'rows'],
  ['sql'],
  ['config', 'observe'],
  ['errors'],
];

interface Import {
  readonly from: string;
  readonly to: string;
  /** Gone at run time. */
  readonly typesOnly: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

const imports: readonly Import[] = files.flatMap((from) =>
  [...readFileSync(join(src, from), 'utf8').matchAll(/^(?:import|export)\s([^;]*?)from '(\.[^']*)'/gms)].map(
    ([, what = '', path = '']) => ({
      from,
      to: relative(src, join(src, dirname(from), path)),
      typesOnly: /^type\s|^\{(?:\s*type [^,}]*,?)*\s*\}\s*$/.test(what),
    }),
  ),
);

const folderOf = (file: string): string => file.split('/')[0] ?? '';
const layerOf = (file: string): number => layers.findIndex((names) => names.includes(folderOf(file)));
const isLab = (file: string): boolean => folderOf(file) === 'testing';

describe('imports', () => {
  test('are found, of every file in a layer', () => {
    expect(files.filter((file) => layerOf(file) < 0 && !isLab(file))).toEqual([]);
    expect(imports.length).toBeGreaterThan(400);
    expect(imports.filter(({ typesOnly }) => typesOnly).length).toBeGreaterThan(150);
  });

  test('run down the layers, those of types as well', () => {
    const wrong = imports.filter(({ from, to }) => {
      if (isLab(from) || folderOf(from) === folderOf(to)) return false;
      return layerOf(to) <= layerOf(from);
    });
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test('never cross between the library and the lab', () => {
    const crossing = imports.filter(({ from, to }) => isLab(from) !== isLab(to));
    expect(crossing.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test('form no cycle at run time', () => {
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        return;
      }
      if (done.has(file)) return;
      for (const { from, to, typesOnly } of imports) {
        if (from === file && !typesOnly) visit(to, [...path, file]);
      }
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  const document = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8');

  test('draws the layers that are checked here', () => {
    const drawn = /## Layers.*?```\n(.*?)```/s.exec(document)?.[1] ?? '';
    const rows = drawn.trimEnd().split('\n');
    expect(rows.map((row) => row.split(/\s{2,}/).filter((name) => /^\w+(?:\/|\.ts)$/.test(name)))).toEqual(
      layers.map((names) => names.map((name) => (name.endsWith('.ts') ? name : `${name}/`))),
    );
  });

  test('has a line for every file of the library, and a file for every line', () => {
    const map = document.slice(document.indexOf('\n## Files'));
    const listed = [...map.matchAll(/^src\/(\S+) {2,}\S/gm)].map(([, path = '']) => path);
    const known = [...files, ...files.map((file) => `${dirname(file)}/`)];
    expect(listed.filter((path) => !known.includes(path))).toEqual([]);
    expect(files.filter((file) => !isLab(file) && !listed.includes(file))).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
  });

  test('names no other file that does not exist', () => {
    const named = [...document.matchAll(/`([a-z]+\/[\w-]+\.ts)`/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((path) => !files.includes(path))).toEqual([]);
  });
});
