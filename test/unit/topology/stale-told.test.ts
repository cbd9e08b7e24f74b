import { describe, expect, test } from 'vitest';
import { parsePosition } from '../../../src/consistency/parse-position.ts';
import { ClusterEmitter } from '../../../src/observe/emitter.ts';
import { StaleTold } from '../../../src/topology/stale-told.ts';
import type { StaleWrite } from '../../../src/topology/stale-writes.ts';
import { mariadb } from './servers.ts';

const source = mariadb(1);

function stale(after: string, positions: string): StaleWrite {
  return { source, positions: parsePosition('mariadb', positions), after: parsePosition('mariadb', after) };
}

describe('late transactions', () => {
  test('are told at once, and what follows within 10 s together after them', () => {
    const events = new ClusterEmitter();
    const told: string[] = [];
    events.on('stale-primary:wrote', ({ epoch, server, positions, after }) => {
      told.push(`epoch ${epoch}, ${server}: ${positions} after ${after}`);
    });
    const list = new StaleTold(events);
    list.add(2, [], 1_000);
    list.add(2, [stale('1-1-5', '1-1-6')], 2_000);
    expect(told).toEqual(['epoch 2, db:3306 (server_id 1): 1-1-6 after 1-1-5']);
    list.add(2, [stale('1-1-6', '1-1-7')], 3_000);
    list.add(2, [stale('1-1-7', '1-1-9')], 4_000);
    list.add(2, [], 11_999);
    expect(told).toHaveLength(1);
    list.add(2, [], 12_000);
    list.add(2, [], 60_000);
    expect(told.slice(1)).toEqual(['epoch 2, db:3306 (server_id 1): 1-1-9 after 1-1-6']);
  });

  test('name the epoch in which they came', () => {
    const events = new ClusterEmitter();
    const epochs: number[] = [];
    events.on('stale-primary:wrote', ({ epoch }) => epochs.push(epoch));
    const list = new StaleTold(events);
    list.add(2, [stale('1-1-5', '1-1-6')], 0);
    list.add(2, [stale('1-1-6', '1-1-7')], 1_000);
    list.add(3, [], 20_000);
    expect(epochs).toEqual([2, 2]);
  });
});
