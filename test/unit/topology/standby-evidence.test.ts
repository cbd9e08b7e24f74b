import { describe, expect, test } from 'vitest';
import { GtidList } from '../../../src/consistency/gtid-list.ts';
import { GtidSet } from '../../../src/consistency/gtid-set.ts';
import { StandbyEvidence } from '../../../src/topology/standby-evidence.ts';
import { uuid } from './servers.ts';

/**
 * Steps at seconds 1, 2, 3 …: `w` or `r` and how far the server's own sequence is, for a look at a writable or
 * read-only server; `vip`: the VIP answers; `reset`; `primary`; a `?` behind a look when the VIP is asked for then.
 */
function run(steps: string): string[] {
  const evidence = new StandbyEvidence();
  return steps.split(' ').flatMap((step, index) => {
    const at = (index + 1) * 1_000;
    if (step === 'reset') evidence.reset();
    if (step === 'primary') evidence.isPrimary();
    if (step === 'vip') {
      const { writable, wrote } = evidence.vipAnswered(at);
      return [
        writable ? `writable at ${index + 1}` : '',
        wrote ? `wrote ${wrote} at ${index + 1}` : '',
      ].filter((text) => text !== '');
    }
    const [, state, sequence, asks] = /^([wr])(\d*)(\??)$/.exec(step) ?? [];
    if (state === undefined) return [];
    const own = sequence === '' ? undefined : GtidList.parse(sequence === '0' ? '' : `2-2-${sequence}`);
    expect(evidence.look({ askedAt: at, writable: state === 'w', own }), step).toBe(asks === '?');
    return [];
  });
}

describe('evidence against a master that is not the primary', () => {
  test.each<[string, string, string[]]>([
    ['a read-only standby that writes nothing', 'r0 r0 vip r0 vip', []],
    ['a writable one, once the VIP has answered', 'w0? vip w0 w0 vip', ['writable at 2']],
    ['a writable one, while the VIP does not answer', 'w0? w0? w0?', []],
    ['a writable one that was closed before the VIP answered', 'w0? r0 vip', []],
    [
      'a writable one, again after it was read-only',
      'w0? vip r0 w0? vip',
      ['writable at 2', 'writable at 5'],
    ],
    [
      'a writable one, again after it was the primary',
      'w0? vip primary w0? vip',
      ['writable at 2', 'writable at 5'],
    ],
    ['a writable one, not again because the primary has changed', 'w0? vip reset w0 vip', ['writable at 2']],
    ['one transaction', 'r5 r6? vip r6 vip', []],
    ['two that were seen in one look', 'r5 r7? vip r7 vip', []],
    ['two with a pause between', 'r5 r6? vip r6 r7? vip r7 vip', []],
    ['growth in two looks in a row', 'r5 r6? r7? vip', ['wrote 2-2-7 at 4']],
    ['growth in two looks, the VIP before the second', 'r5 r6? vip r7? r7? vip', ['wrote 2-2-7 at 6']],
    ['growth in two looks, and then no answer of the VIP', 'r5 r6? r7? r7? r7?', []],
    [
      'growth that goes on',
      'r5 r6? r7? vip r8? vip r9? vip',
      ['wrote 2-2-7 at 4', 'wrote 2-2-8 at 6', 'wrote 2-2-9 at 8'],
    ],
    ['growth over a change of the primary', 'r5 r6? reset r7 vip r7 vip', []],
    ['growth over the end of its own time as primary', 'r5 r6? primary r9 vip', []],
    ['a first transaction, and a second', 'r0 r1? r2? vip', ['wrote 2-2-2 at 4']],
    ['a server that keeps no GTIDs', 'r r r vip', []],
    ['a server that shows its GTIDs now and then', 'r5 r r6 vip r7? vip', []],
  ])('%s', (_, steps, expected) => {
    expect(run(steps)).toEqual(expected);
  });

  test('counts the transactions of both looks, on MySQL', () => {
    const evidence = new StandbyEvidence();
    for (const [askedAt, last] of [1, 2, 3].entries()) {
      evidence.look({ askedAt, writable: false, own: GtidSet.parse(`${uuid(2)}:1-${last}`) });
    }
    expect(evidence.vipAnswered(4).wrote?.toString()).toBe(`${uuid(2)}:2-3`);
  });
});
