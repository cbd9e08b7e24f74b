import { beforeEach, describe, expect, it } from 'vitest';
import { GtidList } from '../../../src/consistency/gtid-list.ts';
import { GtidSet } from '../../../src/consistency/gtid-set.ts';
import { ClusterEmitter } from '../../../src/observe/emitter.ts';
import { LostPositions } from '../../../src/routing/lost-positions.ts';
import { ServerPositions } from '../../../src/topology/server-positions.ts';

describe('a position that the primary does not have', () => {
  let told: { epoch: number; missing: string }[];
  let lost: LostPositions;

  beforeEach(() => {
    told = [];
    const events = new ClusterEmitter();
    events.on('position:lost', ({ epoch, missing }) => {
      told.push({ epoch, missing });
    });
    lost = new LostPositions(events);
  });

  function epoch(number: number, held: string | undefined): Parameters<LostPositions['recognise']>[1] {
    const positions = new ServerPositions({
      vendor: 'mariadb',
      version: '10.11',
      serverId: 2,
      isPrimary: true,
      ask: async () => undefined,
    });
    if (held !== undefined) {
      positions.learn({ logged: held, lastLogged: held, mayHoldBack: 0, replicated: '' }, 1);
    }
    return { number, server: 'b', life: { key: 'b', startedAtMs: 0 }, positions };
  }

  it('is lost, and told of once per epoch', () => {
    const wanted = GtidList.parse('1-1-9,2-2-3');
    const second = epoch(2, '1-1-7,2-2-3');
    expect(String(lost.recognise(wanted, second))).toBe('1-1-9');
    expect(String(lost.recognise(GtidList.parse('1-1-8'), second))).toBe('1-1-8');
    expect(told).toEqual([{ epoch: 2, missing: '1-1-9' }]);
    lost.recognise(wanted, epoch(3, '2-2-3'));
    expect(told).toHaveLength(2);
  });

  it('is lost as a whole when it is another vendor’s', () => {
    const wanted = GtidSet.parse('3e11fa47-71ca-11e1-9e33-c80aa9429562:1');
    expect(lost.recognise(wanted, epoch(2, '1-1-7'))).toBe(wanted);
  });

  it.each([
    ['the primary has it', GtidList.parse('1-1-7'), '1-1-7'],
    ['nothing is wanted', undefined, '1-1-7'],
    ['the primary does not tell', GtidList.parse('1-1-9'), undefined],
  ])('is not lost when %s', (_, wanted, held) => {
    expect(lost.recognise(wanted, epoch(2, held))).toBeUndefined();
    expect(told).toEqual([]);
  });

  it('does not flood the listeners when tokens claim anything', () => {
    const second = epoch(2, '1-1-7');
    for (let domain = 10; domain < 1_000; domain += 1) {
      lost.recognise(GtidList.parse(`${domain}-1-1`), second);
    }
    expect(told.length).toBeLessThanOrEqual(100);
  });
});
