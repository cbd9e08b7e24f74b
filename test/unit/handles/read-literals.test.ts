import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const file = `${root}test/unit/handles/written-for-a-replica.ts`;

/** What the compiler says of a statement that is written where `db` is a cluster. */
function complaints(statement: string): string[] {
  const text = `import type { Cluster } from '../../../src/index.ts';\ndeclare const db: Cluster;\n${statement};\n`;
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config,
    ts.sys,
    root,
  );
  const host = ts.createCompilerHost(options);
  const readFile = host.getSourceFile.bind(host);
  host.getSourceFile = (name, version, ...rest) =>
    name === file ? ts.createSourceFile(name, text, version) : readFile(name, version, ...rest);
  const program = ts.createProgram([file], { ...options, noEmit: true }, host);
  return program
    .getSemanticDiagnostics(program.getSourceFile(file))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

test('a literal that writes is told on a replica what to use instead', () => {
  const advice = 'UPDATE is no read: use db.primary() or db.transaction() for it';
  expect(
    complaints(
      [
        "query('UPDATE t SET a = 1')",
        "stream('UPDATE t SET a = 1')",
        "cached({ ttlMs: 1 }).one('UPDATE t SET a = 1')",
      ]
        .map((call) => `db.replica().${call}`)
        .join(';\n'),
    ),
  ).toEqual(Array.from({ length: 3 }, () => expect.stringContaining(advice)));
  expect(complaints("db.replica<{ a: number }>().query('SELECT a FROM t')")).toEqual([]);
});
