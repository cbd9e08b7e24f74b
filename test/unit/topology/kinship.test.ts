import { describe, expect, test } from 'vitest';
import { parsePosition } from '../../../src/consistency/parse-position.ts';
import { isRelated } from '../../../src/topology/kinship.ts';
import { mariadb, mysql, uuid } from './servers.ts';

describe('a master and the primary', () => {
  test.each<[string, string | undefined, string | undefined, boolean]>([
    ['that have each other’s transactions', '1-1-5,2-2-5', '1-1-5,2-2-5', true],
    ['of which the master has the primary’s', '2-2-5', '2-2-5', true],
    ['of which the primary has the master’s', '1-1-5', '1-1-5', true],
    ['that have written, each for itself', '1-1-5', '2-2-5', false],
    ['of which one has written, for itself', '1-1-5', '', false],
    ['that have written nothing', '', '', true],
    ['with a common third', '1-1-5,3-3-5', '2-2-5,3-3-5', false],
    ['of which the master keeps no GTIDs', undefined, '2-2-5', true],
    [
      'of which the primary is not looked at, with a master that has its transactions',
      '2-2-5',
      undefined,
      true,
    ],
    [
      'of which the primary is not looked at, with a master that has its own alone',
      '1-1-5',
      undefined,
      false,
    ],
    ['of which the primary is not looked at, with a master that has nothing', '', undefined, true],
    ['of which nothing is known', undefined, undefined, true],
  ])('%s', (_, master, primary, related) => {
    const holder = (serverId: number, text: string | undefined) => ({
      identity: mariadb(serverId),
      position: text === undefined ? undefined : parsePosition('mariadb', text),
    });
    expect(isRelated(holder(1, master), holder(2, primary))).toBe(related);
  });

  test('of two vendors are not related', () => {
    const a = { identity: mariadb(1), position: parsePosition('mariadb', '1-1-5') };
    const b = { identity: mysql(1), position: parsePosition('mysql', `${uuid(1)}:1-5`) };
    expect(isRelated(a, b)).toBe(false);
  });
});
