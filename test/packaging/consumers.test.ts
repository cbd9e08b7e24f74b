import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');
const nodeTypes = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];

let project: string;
let packed: string[];

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'vipsql-consumer-'));
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], {
    cwd: root,
  });
  const [archive] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  packed = archive.files.map(({ path }) => path);
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${archive.filename}`], {
    cwd: project,
  });
}, 170_000);

afterAll(() => rm(project, { recursive: true, force: true }));

/** Runs a file of the consumer's project with Node and gives what it printed. */
async function node(name: string, source: string): Promise<string> {
  await writeFile(join(project, name), source);
  const { stdout, stderr } = await run(process.execPath, [name], { cwd: project });
  expect(stderr).toBe('');
  return stdout.trim();
}

describe('the package, installed in an empty project', () => {
  test('holds the built files and nothing of the tests', () => {
    expect(packed).toContain('dist/index.js');
    expect(packed).toContain('dist/index.d.ts');
    expect(packed).toContain('dist/sql/index.js');
    expect(packed).toContain('dist/adapters/drizzle/index.js');
    expect(packed).toContain('dist/adapters/http/index.js');
    expect(packed).toContain('dist/adapters/knex/index.js');
    expect(packed).toContain('dist/adapters/kysely/index.js');
    expect(packed).toContain('dist/adapters/mysql2/index.js');
    expect(packed).toContain('dist/testing/index.js');
    expect(
      packed.filter(
        (path) =>
          !/^(dist\/|docs\/[a-z0-9-]+\.md|docs\/keepalived\/[a-z-]+\.[a-z]+$|README\.md|LICENSE|CHANGELOG\.md|package\.json)/.test(
            path,
          ),
      ),
    ).toEqual([]);
  });

  test('can be imported', async () => {
    const source =
      "import { createCluster, sql } from 'vipsql';\nimport { sessionPlugin } from 'vipsql/http';\nimport { createPool } from 'vipsql/mysql2';\nimport { classify } from 'vipsql/sql';\nimport { startLab } from 'vipsql/testing';\n";
    const printed =
      "console.log(typeof createCluster, typeof sql, typeof startLab, typeof sessionPlugin, typeof createPool, classify('SELECT 1').target);";
    expect(await node('import.mjs', source + printed)).toBe(
      'function function function function function replica',
    );
  });

  test('can be required', async () => {
    const source =
      "const { createCluster } = require('vipsql');\nconst { startLab } = require('vipsql/testing');\n";
    expect(await node('require.cjs', `${source}console.log(typeof createCluster, typeof startLab);`)).toBe(
      'function function',
    );
  });

  test('is one copy to those who import it and those who require it', async () => {
    const source = `
      import { createRequire } from 'node:module';
      import { ConfigError, createCluster } from 'vipsql';
      const required = createRequire(import.meta.url)('vipsql');
      try {
        createCluster({ primary: '' });
      } catch (error) {
        console.log(error instanceof ConfigError, error instanceof required.ConfigError, error.code);
      }
    `;
    expect(await node('both.mjs', source)).toBe('true true VIPSQL_CONFIG');
  });

  test('starts a lab, talks to it, and lets the process end', async () => {
    const source = `
      import { createCluster } from 'vipsql';
      import { startLab } from 'vipsql/testing';
      await using lab = await startLab({ replicas: 1, redis: false, onProgress: () => {} });
      await using db = createCluster(lab.config());
      console.log(await db.primary().value('SELECT 1'), await db.replica().value('SELECT 2'));
    `;
    await mkdir(join(project, 'src'), { recursive: true });
    await writeFile(join(project, 'src', 'lab.mts'), source);
    const flags = [
      '--target',
      'es2022',
      '--lib',
      'es2022,esnext.disposable',
      '--module',
      'nodenext',
      ...nodeTypes,
    ];
    await run(process.execPath, [tsc, ...flags, '--outDir', '.', 'src/lab.mts'], { cwd: project });
    const { stdout, stderr } = await run(process.execPath, ['lab.mjs'], { cwd: project });
    expect([stdout, stderr]).toEqual(['1 2\n', '']);
  });

  // Without skipLibCheck: whatever the declarations need has to be there for a user as well.
  test.each([
    ['an ES module', 'consumer.mts', 'nodenext'],
    ['CommonJS', 'consumer.cts', 'node20'],
  ])('gives its types to %s', async (_, name, module) => {
    const source = `
      import { createCluster, type Cluster, type ExecuteResult } from 'vipsql';
      import { createServer } from 'node:http';
      import { sessionListener } from 'vipsql/http';
      import { type Classification, classify } from 'vipsql/sql';
      import { startLab } from 'vipsql/testing';
      export const classified: Classification = classify('SELECT 1');
      export async function use(db: Cluster): Promise<ExecuteResult> {
        const rows: { id: number }[] = await db.primary<{ id: number }>().query('SELECT id FROM t');
        return await db.transaction((tx) => tx.execute('DELETE FROM t WHERE id = ?', [rows.length]));
      }
      export const open = () => createCluster({ primary: 'localhost' });
      export const lab = () => startLab({ replicas: 1 });
      export const serve = (db: Cluster) => createServer(sessionListener(db, (_, response) => response.end()));
      // @ts-expect-error an option that does not exist
      export const wrong = () => createCluster({ primary: 'localhost', timeout: 5 });
    `;
    await mkdir(join(project, 'src'), { recursive: true });
    await writeFile(join(project, 'src', name), source);
    const flags = ['--noEmit', '--strict', '--target', 'es2022', '--module', module, ...nodeTypes];
    const { stdout } = await run(process.execPath, [tsc, ...flags, `src/${name}`], { cwd: project }).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  });

  test('gives vipsql/knex to those who have Knex', async () => {
    const without = await node(
      'without.mjs',
      "import('vipsql/knex').catch(({ code }) => console.log(code));",
    );
    expect(without).toBe('ERR_MODULE_NOT_FOUND');
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', 'knex@^3.3.0'], {
      cwd: project,
    });
    const source = `
      import knex, { type Knex } from 'knex';
      import { createCluster } from 'vipsql';
      import { knexClient } from 'vipsql/knex';
      const db = createCluster({ primary: 'localhost', user: 'shop' });
      const on: Knex = knex({ client: knexClient(db) });
      console.log(on('item').where('id', 1).replica().toString());
      await on.destroy();
      await db.close();
    `;
    await mkdir(join(project, 'src'), { recursive: true });
    await writeFile(join(project, 'src', 'knex.mts'), source);
    const flags = ['--strict', '--target', 'es2022', '--module', 'nodenext', ...nodeTypes];
    const { stdout } = await run(process.execPath, [tsc, ...flags, '--outDir', '.', 'src/knex.mts'], {
      cwd: project,
    }).catch((error: { stdout: string }) => error);
    expect(stdout).toBe('');
    const printed = await run(process.execPath, ['knex.mjs'], { cwd: project });
    expect(printed.stdout.trim()).toBe('select * from `item` where `id` = 1');
  });

  test('names no machine and no registry in its lock file', async () => {
    const lock = await readFile(join(root, 'package-lock.json'), 'utf8');
    expect(lock).not.toContain('"resolved": "http');
  });
});
