import { describe, expect, test } from 'vitest';
import {
  describeIdentity,
  type Identity,
  isRestart,
  type ServerFacts,
  sameIdentity,
} from '../../../src/pool/identity.ts';

const server: Identity = { uuid: 'aaaa', serverId: 1, hostname: 'db1', port: 3306 };

describe('sameIdentity', () => {
  test.each<[string, Partial<Identity>, boolean]>([
    ['the same four', {}, true],
    ['another uuid', { uuid: 'bbbb' }, false],
    ['another server_id, as of a cloned data folder', { serverId: 2 }, false],
    ['another host', { hostname: 'db2' }, false],
    ['another port', { port: 3307 }, false],
  ])('%s', (_, change, same) => {
    expect(sameIdentity(server, { ...server, ...change })).toBe(same);
  });
});

describe('isRestart', () => {
  const startedAtMs = 1_800_000_000_000;
  const connection = (id: number, laterMs: number): { id: number; facts: ServerFacts } => ({
    id,
    facts: {
      identity: server,
      vendor: 'mariadb',
      version: '10.11.19',
      startedAtMs: startedAtMs + laterMs,
      writable: true,
      maxConnections: 100,
      withoutPositions: undefined,
    },
  });

  test.each<[string, number, number, number, boolean]>([
    ['the same start and a higher id', 0, 51, 50, false],
    ['the same start and the same id', 0, 50, 50, false],
    ['a later start, whatever the id', 1_000, 51, 50, true],
    ['an earlier start, as after a clock was set', -1_000, 51, 50, true],
    ['a lower id in the same second', 0, 7, 50, true],
    ['any id when none is known', 0, 7, 0, false],
  ])('%s', (_, laterMs, id, floorId, restarted) => {
    expect(isRestart(startedAtMs, connection(id, laterMs), floorId)).toBe(restarted);
  });
});

describe('describeIdentity', () => {
  test.each([
    ['by its uuid', server, 'db1:3306 (aaaa)'],
    ['by its server_id where there is no uuid', { ...server, uuid: '' }, 'db1:3306 (server_id 1)'],
  ])('names a server %s', (_, identity, expected) => {
    expect(describeIdentity(identity)).toBe(expected);
  });
});
