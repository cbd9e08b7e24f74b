import { beforeEach, describe, expect, it } from 'vitest';
import { GtidList } from '../../../src/consistency/gtid-list.ts';
import { Laggards } from '../../../src/routing/laggards.ts';
import { ServerPositions } from '../../../src/topology/server-positions.ts';

describe('a server that did not get there in time', () => {
  const create = (): ServerPositions =>
    new ServerPositions({
      vendor: 'mariadb',
      version: '10.11',
      serverId: 3,
      isPrimary: false,
      ask: async () => undefined,
    });
  const missed = GtidList.parse('1-1-9');
  let laggards: Laggards;
  let server: ServerPositions;
  let primary: ServerPositions;

  beforeEach(() => {
    [laggards, server, primary] = [new Laggards(), create(), create()];
    laggards.add(server, missed, primary);
  });

  it('is not waited for', () => {
    expect(laggards.includes(server, primary)).toBe(true);
    expect(laggards.includes(create(), primary)).toBe(false);
  });

  it('is waited for again once it is known to have got there', () => {
    server.learn({ logged: '', lastLogged: '', mayHoldBack: 0, replicated: '1-1-8' }, 1);
    expect(laggards.includes(server, primary)).toBe(true);
    server.learn({ logged: '', lastLogged: '', mayHoldBack: 0, replicated: '1-1-9' }, 2);
    expect(laggards.includes(server, primary)).toBe(false);
  });

  it('is waited for again under another primary, which may never have had it', () => {
    expect(laggards.includes(server, create())).toBe(false);
    expect(laggards.includes(server, primary)).toBe(false);
  });
});
