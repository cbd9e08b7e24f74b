import type { ResultSetHeader } from 'mysql2';
import { describe, expect, test } from 'vitest';
import { ownCommand } from '../../../src/pool/command.ts';
import { SessionStatus } from '../../../src/pool/session-status.ts';

const inTransaction = 1;
const matchedOnly = 'Rows matched: 1  Changed: 0  Warnings: 0';

interface Ok
  extends Partial<Pick<ResultSetHeader, 'affectedRows' | 'changedRows' | 'info' | 'serverStatus'>> {
  readonly gtids?: readonly string[];
  readonly last_gtid?: string;
  readonly commit?: boolean;
}

/** What the listener is told of a sequence of answers. */
function told(...answers: readonly Ok[]): string[] {
  const status = new SessionStatus();
  const heard: string[] = [];
  status.positions = {
    onPosition: (position) => heard.push(position),
    onCommitWithoutPosition: () => heard.push('none'),
  };
  for (const { gtids, last_gtid, commit, ...header } of answers) {
    const stateChanges =
      gtids === undefined && last_gtid === undefined
        ? undefined
        : { gtids: gtids ?? [], systemVariables: last_gtid === undefined ? {} : { last_gtid } };
    const ok = { affectedRows: 0, changedRows: 0, info: '', serverStatus: 0, stateChanges, ...header };
    const command = ownCommand('', 'other');
    status.note(ok as unknown as ResultSetHeader, commit ? { ...command, phase: 'commit' } : command);
  }
  return heard;
}

describe('the position in an OK', () => {
  test.each<[string, Ok, string[]]>([
    ['of MySQL', { gtids: ['a:5'] }, ['a:5']],
    ['of several commits', { gtids: ['a:5', 'b:2-3'] }, ['a:5,b:2-3']],
    ['of MariaDB', { last_gtid: '0-1-7' }, ['0-1-7']],
    ['of neither', { gtids: [] }, []],
    ['that is empty', { last_gtid: '' }, []],
  ])('%s', (_, ok, expected) => {
    expect(told(ok)).toEqual(expected);
  });
});

describe('a commit without a position', () => {
  test.each<[string, Ok[], string[]]>([
    ['is an INSERT that tells none', [{ affectedRows: 1 }], ['none']],
    [
      'is an UPDATE that changed something',
      [{ affectedRows: 1, changedRows: 1, info: 'Rows matched' }],
      ['none'],
    ],
    ['is no UPDATE that found and changed nothing', [{ affectedRows: 1, info: matchedOnly }], []],
    ['is no statement without rows', [{}], []],
    ['is no write within a transaction', [{ affectedRows: 1, serverStatus: inTransaction }], []],
    [
      'is the COMMIT of a transaction that wrote',
      [{ affectedRows: 1, serverStatus: inTransaction }, { serverStatus: inTransaction }, { commit: true }],
      ['none'],
    ],
    ['is no ROLLBACK of it', [{ affectedRows: 1, serverStatus: inTransaction }, {}], []],
    [
      'is no COMMIT of the next, which only read',
      [
        { affectedRows: 1, serverStatus: inTransaction },
        { commit: true, gtids: ['a:5'] },
        { serverStatus: inTransaction },
        { commit: true },
      ],
      ['a:5'],
    ],
  ])('%s', (_, answers, expected) => {
    expect(told(...answers)).toEqual(expected);
  });
});
