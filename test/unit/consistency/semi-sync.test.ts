import { describe, expect, it, test } from 'vitest';
import { acknowledges, readSemiSync } from '../../../src/consistency/semi-sync.ts';

type Values = Readonly<Record<string, string>>;

const mysqlVariables: Values = {
  rpl_semi_sync_source_enabled: 'ON',
  rpl_semi_sync_source_timeout: '3600000',
  rpl_semi_sync_source_wait_point: 'AFTER_SYNC',
  rpl_semi_sync_source_wait_no_replica: 'ON',
};
const mysqlStatus: Values = { rpl_semi_sync_source_status: 'ON', rpl_semi_sync_source_clients: '1' };

const older = (values: Values): Values =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name.replace('source', 'master').replace('no_replica', 'no_slave'),
      value,
    ]),
  );

const read = (variables: Values, status: Values): ReturnType<typeof readSemiSync> =>
  readSemiSync(new Map(Object.entries(variables)), new Map(Object.entries(status)), undefined);

describe('readSemiSync', () => {
  it.each([
    ['MySQL', mysqlVariables, mysqlStatus],
    ['MariaDB and older MySQL', older(mysqlVariables), older(mysqlStatus)],
  ])('finds no weakness in commits that wait an hour for the other server: %s', (_, variables, status) => {
    expect(read(variables, status)).toEqual({ weakness: undefined, clients: 1, acknowledgers: undefined });
  });

  test.each<readonly [string, Values, Values, RegExp]>([
    ['without semi-sync', {}, {}, /asynchronous/],
    ['switched off', { ...mysqlVariables, rpl_semi_sync_source_enabled: 'OFF' }, mysqlStatus, /asynchronous/],
    ['degraded', mysqlVariables, { ...mysqlStatus, rpl_semi_sync_source_status: 'OFF' }, /fallen back/],
    [
      'AFTER_COMMIT',
      { ...mysqlVariables, rpl_semi_sync_source_wait_point: 'AFTER_COMMIT' },
      mysqlStatus,
      /AFTER_COMMIT/,
    ],
    [
      'ten seconds',
      { ...mysqlVariables, rpl_semi_sync_source_timeout: '10000' },
      mysqlStatus,
      /10000 ms at most/,
    ],
    [
      'a second less than an hour',
      { ...mysqlVariables, rpl_semi_sync_source_timeout: '3599000' },
      mysqlStatus,
      /an hour/,
    ],
    ['no time-out told', { ...mysqlVariables, rpl_semi_sync_source_timeout: '' }, mysqlStatus, /an hour/],
    [
      'not waiting for nobody',
      { ...mysqlVariables, rpl_semi_sync_source_wait_no_replica: 'OFF' },
      mysqlStatus,
      /no server was there/,
    ],
  ])('%s is a weakness', (_, variables, status, weakness) => {
    expect(read(variables, status).weakness).toMatch(weakness);
    expect(read(older(variables), older(status)).weakness).toMatch(weakness);
  });
});

describe('acknowledges', () => {
  test.each<readonly [Values, boolean]>([
    [{ rpl_semi_sync_replica_enabled: 'ON' }, true],
    [{ rpl_semi_sync_slave_enabled: 'ON' }, true],
    [{ rpl_semi_sync_slave_enabled: 'OFF' }, false],
    [{}, false],
  ])('%o: %s', (variables, expected) => {
    expect(acknowledges(new Map(Object.entries(variables)))).toBe(expected);
  });
});
