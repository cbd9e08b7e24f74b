import { describe, expect, it } from 'vitest';
import { parsePosition } from '../../../src/consistency/parse-position.ts';
import { readServerPosition, waitStatement } from '../../../src/consistency/server-position.ts';

const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const other = '4e11fa47-71ca-11e1-9e33-c80aa9429562';

describe('the position of a MySQL server', () => {
  const read = (executed: unknown, owned = '', mode = 'ON') =>
    readServerPosition('mysql', { executed, owned, mode }, 1);

  it('is what it has executed', () => {
    const position = read(`${uuid}:1-7,\n${other}:1-3`);
    expect(String(position?.applied)).toBe(`${uuid}:1-7,${other}:1-3`);
    expect(String(position?.atMost)).toBe(`${uuid}:1-7,${other}:1-3`);
  });

  it('may show what is being committed, which it is not known to have', () => {
    const position = read(`${uuid}:1-7`, `${uuid}:8#18:9#19,\n${other}:3#20`);
    expect(String(position?.applied)).toBe(`${uuid}:1-7`);
    expect(String(position?.atMost)).toBe(`${uuid}:1-9,${other}:3`);
  });

  it.each([
    ['its transactions have no GTIDs', read(`${uuid}:1-7`, '', 'OFF_PERMISSIVE')],
    ['its set is too long to be fetched', read(null)],
    ['the answer makes no sense', read('nonsense')],
    ['it answers with something else', readServerPosition('mysql', { one: 1 }, 1)],
  ])('is not told when %s', (_, position) => {
    expect(position).toBeUndefined();
  });
});

describe('the position of a MariaDB server', () => {
  const read = (logged: string, lastLogged: string, replicated: string, serverId = 3, mayHoldBack = 0) =>
    readServerPosition('mariadb', { logged, lastLogged, replicated, mayHoldBack }, serverId);

  it.each([
    ['a replica that logs what it replicates', '1-1-7', '1-1-7', '1-1-7', '1-1-7'],
    ['a replica without a log', '', '', '1-1-7', '1-1-7'],
    ['a log that is ahead of what reads see', '1-1-8', '1-1-8', '1-1-7', '1-1-7'],
    ['two writers in one domain, all applied', '0-1-7,0-2-9', '0-2-9', '0-2-9', '0-1-7,0-2-9'],
    ['two writers in one domain, the log ahead', '0-1-7,0-2-10', '0-2-10', '0-2-9', '0-2-9'],
    ['two writers in one domain, without a log', '', '', '0-2-9', '0-2-9'],
    ['one domain ahead, another not', '1-1-8,2-2-3', '1-1-8,2-2-3', '1-1-7,2-2-3', '1-1-7,2-2-3'],
    [
      'an earlier primary: its own writes are replicated by nobody',
      '1-3-7,2-2-3',
      '1-3-7,2-2-3',
      '2-2-3',
      '1-3-7,2-2-3',
    ],
    ['an earlier primary that replicates its own domain now', '0-3-7,0-2-9', '0-2-9', '0-2-9', '0-2-9,0-3-7'],
  ])('%s', (_, logged, lastLogged, replicated, applied) => {
    expect(String(read(logged, lastLogged, replicated)?.applied)).toBe(applied);
  });

  it('does not count its own writes while semi-synchronous replication may hold them back', () => {
    const position = read('1-3-7,2-2-3', '1-3-7,2-2-3', '2-2-3', 3, 1);
    expect(String(position?.applied)).toBe('2-2-3');
    expect(String(position?.atMost)).toBe('1-3-7,2-2-3');
  });

  it('may show what stands in its log', () => {
    expect(String(read('1-1-8', '1-1-8', '1-1-7')?.atMost)).toBe('1-1-8');
  });

  it('is not told when the answer makes no sense', () => {
    expect(read('nonsense', '', '')).toBeUndefined();
  });
});

describe('the statement that waits', () => {
  const wanted = parsePosition('mysql', `${uuid}:1-7`);

  it.each([
    ['fractions of a second', 50, '8.4.0', '0.050'],
    ['no time left: 0 would be no limit, less an error', -3, '8.4.0', '0.001'],
    ['whole seconds on MySQL 5.7', 50, '5.7.44-log', '1.000'],
    ['rounded up there', 1_100, '5.7.44-log', '2.000'],
  ])('%s', (_, timeoutMs, version, seconds) => {
    expect(waitStatement(wanted, timeoutMs, version)).toContain(
      `WAIT_FOR_EXECUTED_GTID_SET('${uuid}:1-7', ${seconds}) AS waited`,
    );
  });

  it('is another one on MariaDB', () => {
    expect(waitStatement(parsePosition('mariadb', '0-1-5'), 20, '10.11.19-MariaDB')).toContain(
      "MASTER_GTID_WAIT('0-1-5', 0.020) AS waited",
    );
  });
});
