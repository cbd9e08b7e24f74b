import { expect, test } from 'vitest';
import { setUpStatements } from '../../../../src/adapters/driver/set-up.ts';

const cluster = { database: 'shop', charset: 'utf8mb4_unicode_ci' };

const cases = [
  [{}, []],
  [{ database: 'shop', charset: 'utf8mb4' }, []],
  [{ charset: 'UTF8MB4_UNICODE_CI' }, []],
  [{ database: 'other' }, ['USE `other`']],
  [{ database: 'a.`b' }, ['USE `a.``b`']],
  [{ charset: 'utf8' }, ['SET NAMES utf8']],
  [{ charset: 'utf8mb4_bin' }, ['SET NAMES utf8mb4 COLLATE utf8mb4_bin']],
] as const;

test.each(cases)('setUpStatements of %j are %j', (settings, statements) => {
  expect(setUpStatements(settings, cluster)).toEqual(statements);
});
