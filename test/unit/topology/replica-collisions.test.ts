import { describe, expect, it } from 'vitest';
import { ClusterEmitter } from '../../../src/observe/emitter.ts';
import { isRestart, type ServerFacts, sameIdentity } from '../../../src/pool/identity.ts';
import {
  type KnownServer,
  ReplicaCollisions,
  type Witness,
} from '../../../src/topology/replica-collisions.ts';

interface TestServer extends KnownServer {
  floorId: number;
}

function facts(startedAtMs: number, serverId = 7): ServerFacts {
  return {
    identity: { uuid: '', serverId, hostname: 'clone', port: 3306 },
    vendor: 'mariadb',
    version: '10.11.19-MariaDB',
    startedAtMs,
    writable: false,
    maxConnections: 151,
    withoutPositions: undefined,
  };
}

function server(floorId: number, startedAtMs = 0, serverId = 7): TestServer {
  const own = facts(startedAtMs, serverId);
  return {
    facts: own,
    floorId,
    includes: (witness, floor) =>
      sameIdentity(own.identity, witness.facts.identity) && !isRestart(startedAtMs, witness, floor),
  };
}

function witness(of: KnownServer, id: number): Witness {
  return { facts: of.facts, id };
}

function known(...servers: readonly KnownServer[]): { collisions: ReplicaCollisions; told: string[] } {
  const events = new ClusterEmitter();
  const told: string[] = [];
  events.on('identity:collision', ({ identity, servers: names }) => {
    told.push(`${identity}: ${[...names].sort().join(' ')}`);
  });
  const collisions = new ReplicaCollisions(events);
  servers.forEach((entry, index) => {
    collisions.begin(entry, `replica ${index + 1}`);
  });
  return { collisions, told };
}

const clone = 'clone:3306 (server_id 7)';

describe('replica collisions', () => {
  it.each([
    ['another start time', server(10), server(50, 60_000), 51],
    ['an id that the other one had passed', server(100), server(50), 51],
    ['the very id that the other one had last', server(51), server(50), 51],
  ])('by %s, two servers with one identity are told once the other has answered', (_, one, two, id) => {
    const { collisions, told } = known(one, two);
    collisions.opened(two, witness(two, id), collisions.floors());
    expect(told).toEqual([]);
    expect(collisions.answered(one)).toBe(true);
    expect(told).toEqual([`${clone}: replica 1 replica 2`]);
    expect(collisions.areApart(one, two)).toBe(true);
    expect(collisions.areApart(two, one)).toBe(true);
  });

  it('tells of two servers only once', () => {
    const [one, two] = [server(100), server(50)];
    const { collisions, told } = known(one, two);
    for (const id of [51, 52, 53]) {
      collisions.opened(two, witness(two, id), collisions.floors());
      collisions.answered(one);
    }
    expect(told).toHaveLength(1);
  });

  it('tells of two servers only once when each shows that the other is another one', () => {
    const [one, two] = [server(50), server(50)];
    const { collisions, told } = known(one, two);
    const floors = collisions.floors();
    collisions.opened(one, witness(one, 50), floors);
    collisions.opened(two, witness(two, 50), floors);
    expect(collisions.answered(one)).toBe(true);
    expect(collisions.answered(two)).toBe(false);
    expect(told).toHaveLength(1);
  });

  it.each([
    ['one server at two addresses, whose ids rise together', server(50), server(50), 51],
    ['servers with different identities', server(100), server(50, 60_000, 8), 51],
  ])('never tells of %s', (_, one, two, id) => {
    const { collisions, told } = known(one, two);
    collisions.opened(two, witness(two, id), collisions.floors());
    expect(collisions.answered(one)).toBe(false);
    expect(told).toEqual([]);
    expect(collisions.areApart(one, two)).toBe(false);
  });

  it('compares with the ids known before the dial, not with those that came while it lasted', () => {
    const [one, two] = [server(50), server(50)];
    const { collisions, told } = known(one, two);
    const floors = collisions.floors();
    one.floorId = 60;
    collisions.opened(two, witness(two, 55), floors);
    collisions.answered(one);
    expect(told).toEqual([]);
  });

  it('does not take the restart of one server at two addresses for a second server', () => {
    const [one, two] = [server(100), server(100)];
    const { collisions, told } = known(one, two);
    const restarted = server(5, 60_000);
    collisions.end(two);
    collisions.begin(restarted, 'replica 2');
    collisions.opened(restarted, witness(restarted, 5), collisions.floors());
    collisions.end(one);
    const oneRestarted = server(6, 60_000);
    collisions.begin(oneRestarted, 'replica 1');
    collisions.answered(oneRestarted);
    collisions.answered(restarted);
    expect(told).toEqual([]);
  });

  it('drops a suspicion when the suspected server is gone', () => {
    const [one, two] = [server(100), server(50)];
    const { collisions, told } = known(one, two);
    collisions.opened(two, witness(two, 51), collisions.floors());
    collisions.end(two);
    expect(collisions.answered(one)).toBe(false);
    expect(told).toEqual([]);
  });
});
