import { describe, expect, test } from 'vitest';
import { VipTurns } from '../../../src/topology/vip-turns.ts';
import { mariadb } from './servers.ts';

/** At which of the answers, `server@second`, the other server was named. */
function told(answers: string): string[] {
  const turns = new VipTurns();
  return answers.split(' ').flatMap((answer) => {
    const [server, second] = answer.split('@').map(Number);
    const other = turns.answered(mariadb(server ?? 0), (second ?? 0) * 1_000);
    return other === undefined ? [] : [`${other.serverId} at ${answer}`];
  });
}

describe('the VIP, answered by turns', () => {
  test.each<[string, string, string[]]>([
    ['one server all the time', '1@0 1@1 1@2', []],
    ['one failover', '1@0 2@1 2@5', []],
    ['there and back within 10 s', '1@0 2@1 1@9', ['2 at 1@9']],
    ['there and back in 10 s', '1@0 2@1 1@10', ['2 at 1@10']],
    ['there and back in more than 10 s', '1@0 2@1 1@10.1', []],
    ['counted from the last answer of the first', '1@0 1@50 2@51 1@59', ['2 at 1@59']],
    ['on and on', '1@0 2@1 1@2 2@3', ['2 at 1@2', '1 at 2@3']],
    ['three servers one after another', '1@0 2@1 3@2', []],
    ['back by way of a third', '1@0 2@1 3@2 1@3', []],
    ['a second pair of turns long after the first', '1@0 2@1 1@2 1@59 2@60 1@61', ['2 at 1@2', '2 at 1@61']],
  ])('%s', (_, answers, expected) => {
    expect(told(answers)).toEqual(expected);
  });
});
