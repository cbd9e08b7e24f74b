import { beforeEach, describe, expect, test } from 'vitest';
import { parsePosition } from '../../../src/consistency/parse-position.ts';
import { ClusterEmitter } from '../../../src/observe/emitter.ts';
import type { Connection } from '../../../src/pool/connection.ts';
import { WriteHold } from '../../../src/topology/write-hold.ts';
import { type WatchedServer, Writers } from '../../../src/topology/writers.ts';
import { factsOf, mariadb } from './servers.ts';

const names = ['standby:writable', 'two-writers', 'stale-primary:wrote', 'master:unwatched'] as const;

/** The servers 1 and 2, and a clock that the test moves on by seconds. */
class Scene {
  readonly told: string[] = [];
  readonly writers: Writers;
  readonly hold = new WriteHold({ onBegin: () => {}, onEnd: () => {} });
  vipAsked = 0;
  now = 0;
  readonly #servers = new Map<number, WatchedServer>();
  #epoch = 0;

  constructor(options: { readonly twoWriters?: 'warn' | 'stop'; readonly proxied?: boolean } = {}) {
    const events = new ClusterEmitter();
    for (const name of names) events.on(name, () => this.told.push(name));
    this.writers = new Writers({
      events,
      twoWriters: 'warn',
      proxied: false,
      lookAtVip: () => {
        this.vipAsked += 1;
      },
      hold: this.hold,
      ...options,
    });
    for (const id of [1, 2]) this.restart(id);
  }

  restart(id: number): void {
    this.#servers.set(id, { facts: factsOf(mariadb(id), this.now * 10) });
  }

  /** A new connection through the VIP leads to that server. */
  vip(id: number): this {
    const connection = { facts: this.#server(id).facts, openedAt: this.now } as Connection;
    this.writers.sighted({ connection, writable: true, floor: { epoch: this.#epoch, id: 1 } }, this.now);
    return this;
  }

  /** That server is found as the primary. */
  open(id: number): this {
    this.vip(id);
    this.#epoch += 1;
    this.writers.opened(this.#epoch, this.#server(id).facts, this.now);
    return this;
  }

  resume(id: number): void {
    this.writers.opened(this.#epoch, this.#server(id).facts, this.now);
  }

  look(
    id: number,
    position: string,
    options: { writable?: boolean; received?: string; connected?: boolean } = {},
  ): this {
    const { writable = true, received, connected = true } = options;
    const look = {
      askedAt: this.now,
      answeredAt: this.now,
      writable,
      position: parsePosition('mariadb', position),
    };
    const fetched =
      received === undefined ? undefined : { positions: [parsePosition('mariadb', received)], connected };
    this.writers.looked(`master ${id}`, this.#server(id), look, fetched);
    return this;
  }

  at(second: number): this {
    this.now = second * 1_000;
    return this;
  }

  #server(id: number): WatchedServer {
    const server = this.#servers.get(id);
    if (server === undefined) throw new Error(`no server ${id}`);
    return server;
  }
}

describe('a second writer', () => {
  let scene: Scene;

  beforeEach(() => {
    scene = new Scene();
    scene.at(0).open(1);
  });

  test('counts from two seconds after the epoch has opened', () => {
    for (const second of [0.5, 1, 1.5, 1.9])
      scene
        .at(second)
        .look(2, `1-1-1,2-2-${second * 10}`)
        .vip(1);
    expect([scene.told, scene.vipAsked]).toEqual([[], 0]);
  });

  test('is told when its own transactions grew in two looks, and the VIP led to the primary afterwards', () => {
    scene.at(2).look(2, '1-1-1,2-2-1', { writable: false });
    scene.at(3).look(2, '1-1-1,2-2-2', { writable: false });
    scene.at(3.5).vip(1);
    scene.at(4).look(2, '1-1-1,2-2-3', { writable: false });
    expect([scene.told, scene.vipAsked]).toEqual([[], 2]);
    scene.at(4.5).vip(1);
    expect(scene.told).toEqual(['two-writers']);
  });

  test('is not told when the VIP turns out to lead to it', () => {
    scene.at(2).look(2, '1-1-1,2-2-1');
    scene.at(3).look(2, '1-1-1,2-2-2');
    scene.at(4).look(2, '1-1-1,2-2-3');
    scene.at(4.5).open(2);
    scene.at(10).look(2, '1-1-1,2-2-9').vip(2);
    expect(scene.told).toEqual([]);
  });

  test('is not told on account of what grew over an interruption', () => {
    scene.at(2).look(2, '1-1-1,2-2-1', { writable: false });
    scene.at(3).look(2, '1-1-1,2-2-2', { writable: false });
    scene.writers.interrupted();
    scene.at(4).look(2, '1-1-1,2-2-3', { writable: false });
    scene.resume(1);
    scene.at(5).look(2, '1-1-1,2-2-4', { writable: false }).vip(1);
    scene.at(6).look(2, '1-1-1,2-2-5', { writable: false }).vip(1);
    scene.at(6.5).vip(1);
    expect(scene.told).toEqual([]);
    scene.at(7).look(2, '1-1-1,2-2-6', { writable: false });
    scene.at(7.5).vip(1);
    expect(scene.told).toEqual(['two-writers']);
  });

  test('is not told on account of what it brought back from a restart', () => {
    scene.at(2).look(2, '1-1-1,2-2-1', { writable: false });
    scene.at(3).look(2, '1-1-1,2-2-2', { writable: false });
    scene.at(3.5).restart(2);
    scene.at(4).look(2, '1-1-1,2-2-3', { writable: false });
    scene.at(4.5).vip(1);
    expect(scene.told).toEqual([]);
  });

  test('is told once, and again after 10 s without evidence', () => {
    scene.at(2);
    for (let second = 2; second <= 12; second += 1) {
      scene.at(second).look(2, `1-1-1,2-2-${second}`, { writable: false });
      scene.at(second + 0.5).vip(1);
    }
    expect(scene.told).toEqual(['two-writers']);
    for (let second = 13; second <= 22; second += 1) {
      scene.at(second).look(2, '1-1-1,2-2-12', { writable: false });
    }
    for (let second = 23; second <= 26; second += 1) {
      scene.at(second).look(2, `1-1-1,2-2-${second}`, { writable: false });
      scene.at(second + 0.5).vip(1);
    }
    expect(scene.told).toEqual(['two-writers', 'two-writers']);
  });

  test('is no server that has nothing in common with the primary', () => {
    scene.at(2).look(1, '1-1-9');
    for (let second = 2; second <= 9; second += 1) {
      scene.at(second).look(2, `2-2-${second}`);
      scene.at(second + 0.5).vip(1);
    }
    expect(scene.told).toEqual(['master:unwatched']);
  });

  test('is not the primary itself, restarted before the VIP has told so', () => {
    scene.at(2).look(1, '1-1-9');
    scene.at(3).restart(1);
    for (let second = 3; second <= 9; second += 1) scene.at(second).look(1, `1-1-${second + 9}`);
    expect([scene.told, scene.vipAsked]).toEqual([[], 0]);
  });
});

describe('with a proxy at the VIP', () => {
  test('nothing is concluded', () => {
    const scene = new Scene({ proxied: true, twoWriters: 'stop' });
    scene.at(0).open(1);
    scene.at(1).vip(2);
    scene.at(2).vip(1);
    for (let second = 3; second <= 9; second += 1) {
      scene.at(second).look(2, `1-1-1,2-2-${second}`);
      scene.at(second + 0.5).vip(1);
    }
    expect([scene.told, scene.vipAsked, scene.writers.heldBecause]).toEqual([[], 0, undefined]);
  });
});

describe("twoWriters: 'stop'", () => {
  test('holds writes as soon as there is evidence', () => {
    const scene = new Scene({ twoWriters: 'stop' });
    scene.at(0).open(1);
    scene.at(1).open(2);
    expect(scene.writers.heldBecause).toBeUndefined();
    scene.at(2).vip(1);
    expect(scene.writers.heldBecause).toMatch(/^the VIP was answered by db:3306 \(server_id 1\)/);
    scene.writers.stop();
  });
});

describe('what an old primary has brought', () => {
  test.each<[string, (scene: Scene) => void, string[]]>([
    [
      'after it died and came back once the new one was open',
      (scene) => {
        scene.at(4).open(2).look(2, '1-1-5', { received: '1-1-5', connected: false });
        scene.restart(1);
        scene.look(1, '1-1-7', { writable: false });
      },
      ['stale-primary:wrote'],
    ],
    [
      'after it died and came back before the new one was open',
      (scene) => {
        scene.restart(1);
        scene.at(3.5).look(1, '1-1-7', { writable: false });
        scene.at(4).open(2).look(2, '1-1-5', { received: '1-1-5', connected: true });
        scene.look(1, '1-1-7', { writable: false });
      },
      ['stale-primary:wrote'],
    ],
    [
      'after it gave the VIP away',
      (scene) => {
        scene.at(4).open(2).look(2, '1-1-5', { received: '1-1-5', connected: true });
        scene.look(1, '1-1-7', { writable: false });
      },
      [],
    ],
  ])('%s', (_, change, expected) => {
    const scene = new Scene();
    scene.at(0).open(1).look(1, '1-1-5').look(2, '1-1-5', { writable: false });
    scene.at(2).vip(1);
    scene.at(3);
    change(scene);
    scene.at(9).look(2, '1-1-7');
    expect(scene.told).toEqual(expected);
  });
});
