import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'test/README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

interface Block {
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

const blocks: readonly Block[] = pages.flatMap((page) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/^```(\w+)\n(.*?)^```/gms)].map(
    ([, language = '', text = '']) => ({
      page,
      language,
      text,
    }),
  ),
);

test('every TypeScript example of the documents compiles', async () => {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, '.cache', 'examples-'));
  try {
    const examples = blocks.filter(({ language }) => language === 'ts');
    expect(examples.length).toBeGreaterThan(5);
    examples.forEach(({ page, text }, index) => {
      const name = `${page.replaceAll(/\W/g, '-')}-${index}.ts`;
      writeFileSync(join(folder, name), text.includes('import ') ? text : `${text}\nexport {};\n`);
    });
    const compilerOptions = { noEmit: true, noUnusedLocals: false, skipLibCheck: true };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }),
    );
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', folder]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);

const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): readonly string[] {
  return [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('every link between the documents leads somewhere', () => {
  const links = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(
      ([, target = '', anchor]) => ({
        page,
        target: target === '' ? page : relative(root, resolve(root, dirname(page), target)),
        anchor,
      }),
    ),
  );
  expect(links.length).toBeGreaterThan(20);
  const broken = links.filter(
    ({ target, anchor }) =>
      !existsSync(join(root, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor)),
  );
  expect(broken).toEqual([]);
});

const scripts = blocks.filter(
  ({ language, text }) => ['sh', 'bash'].includes(language) && text.startsWith('#!'),
);

test('every shell script of the documents is valid', async () => {
  expect(scripts.length).toBeGreaterThan(1);
  for (const { text } of scripts) await promisify(execFile)('bash', ['-n', '-c', text]);
});

const hasShellcheck = (process.env.PATH ?? '')
  .split(delimiter)
  .some((folder) => existsSync(join(folder, 'shellcheck')));

test.skipIf(!hasShellcheck)('shellcheck has nothing to say of them, nor of our own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vipsql-scripts-'));
  try {
    const files = scripts.map(({ text }, index) => {
      const file = join(folder, `${index}.sh`);
      writeFileSync(file, text);
      return file;
    });
    files.push(join(root, '.ci/run'), join(root, 'test/support/mysql.sh'));
    const { stdout } = await promisify(execFile)('shellcheck', ['--severity=warning', ...files]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('every event stands in docs/usage.md, and no other', () => {
  const declared = [
    ...readFileSync(join(root, 'src/observe/events.ts'), 'utf8').matchAll(
      /^ {2}'([a-z-]+(?::[a-z-]+)?)': \{/gm,
    ),
  ];
  const [, section = ''] = readFileSync(join(root, 'docs/usage.md'), 'utf8').split('## Events');
  const firstCells = section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|')[1] ?? '');
  const listed = firstCells.flatMap((cell) => [...cell.matchAll(/`([a-z-]+(?::[a-z-]+)?)`/g)]);
  expect(listed.map(([, name]) => name).sort()).toEqual(declared.map(([, name]) => name).sort());
});
