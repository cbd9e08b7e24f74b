import { describe, expect, it, test } from 'vitest';
import { type AbsenceQuestion, judgeAbsence } from '../../../src/consistency/absence-proof.ts';
import type { ReplicationSource } from '../../../src/consistency/replication-source.ts';
import type { SemiSync } from '../../../src/consistency/semi-sync.ts';
import type { MissingProof } from '../../../src/errors/errors.ts';

const followed: ReplicationSource = {
  uuid: 'old',
  serverId: 1,
  receiving: false,
  applied: true,
  filtered: false,
};
const semiSync: SemiSync = { weakness: undefined, clients: 1, acknowledgers: { ids: ['new'], exact: true } };
const lost: AbsenceQuestion['lost'] = { uuid: 'old', serverId: 1, semiSync };
const asked: AbsenceQuestion['asked'] = { uuid: 'new', serverId: 2, sources: [followed], acknowledges: true };
const proved: AbsenceQuestion = { lost, asked, isFenced: false, graceIsOver: false };

const following = (source: Partial<ReplicationSource>): AbsenceQuestion['asked'] => ({
  ...asked,
  sources: [{ ...followed, ...source }],
});
const withSemiSync = (facts: Partial<SemiSync>): AbsenceQuestion['lost'] => ({
  ...lost,
  semiSync: { ...semiSync, ...facts },
});

type Row = readonly [what: string, change: Partial<AbsenceQuestion>, verdict: string];

const mariadbLost = {
  uuid: '',
  serverId: 1,
  semiSync: { ...semiSync, acknowledgers: { ids: ['3', '2'], exact: false } },
};
const mariadbAsked = { ...asked, uuid: '', sources: [{ ...followed, uuid: '' }] };

const rows: readonly Row[] = [
  ['semi-synchronous, one acknowledger, all applied', {}, 'proved'],
  [
    'on MariaDB, where connected servers are known by server_id',
    { lost: mariadbLost, asked: mariadbAsked },
    'proved',
  ],
  [
    'on MariaDB, with another server_id',
    { lost: mariadbLost, asked: { ...mariadbAsked, serverId: 4 } },
    'other-acknowledger',
  ],

  ['its status is hidden', { asked: { ...asked, sources: undefined } }, 'replication-unreadable'],
  ['it follows nobody', { asked: { ...asked, sources: [] } }, 'replication-unreadable'],
  ['it follows a third server', { asked: following({ uuid: 'third' }) }, 'replication-unreadable'],
  ['something received is not applied', { asked: following({ applied: false }) }, 'wait: not-applied'],
  [
    'something received from a third server is not applied',
    { asked: { ...asked, sources: [followed, { ...followed, uuid: 'third', applied: false }] } },
    'wait: not-applied',
  ],
  ['it leaves something out', { asked: following({ filtered: true }) }, 'filtered'],

  ['it still receives', { asked: following({ receiving: true }) }, 'wait: deadline'],
  [
    'it still receives after the grace',
    { asked: following({ receiving: true }), graceIsOver: true },
    'proved',
  ],
  [
    'it still receives, and nothing else is proved',
    { asked: following({ receiving: true }), lost: { ...lost, semiSync: undefined } },
    'wait: not-semi-synchronous',
  ],

  ['nothing is known of semi-sync', { lost: { ...lost, semiSync: undefined } }, 'not-semi-synchronous'],
  [
    'commits need not have waited',
    { lost: withSemiSync({ weakness: 'it was asynchronous' }) },
    'not-semi-synchronous',
  ],
  [
    'the acknowledgers are hidden',
    { lost: withSemiSync({ acknowledgers: undefined }) },
    'other-acknowledger',
  ],
  ['nobody acknowledged', { lost: withSemiSync({ clients: 0 }) }, 'other-acknowledger'],
  ['two acknowledged', { lost: withSemiSync({ clients: 2 }) }, 'other-acknowledger'],
  [
    'two are listed and one is counted',
    { lost: withSemiSync({ acknowledgers: { ids: ['new', 'third'], exact: true } }) },
    'other-acknowledger',
  ],
  [
    'another one acknowledged',
    { lost: withSemiSync({ acknowledgers: { ids: ['third'], exact: true } }) },
    'other-acknowledger',
  ],
  ['it does not acknowledge itself', { asked: { ...asked, acknowledges: false } }, 'other-acknowledger'],

  [
    'the caller has fenced the lost server',
    { isFenced: true, lost: { ...lost, semiSync: undefined } },
    'proved',
  ],
  ['fenced, and nobody is followed any more', { isFenced: true, asked: { ...asked, sources: [] } }, 'proved'],
  [
    'fenced, and a third server is followed',
    { isFenced: true, asked: following({ uuid: 'third' }) },
    'replication-unreadable',
  ],
  [
    'fenced, and the status is hidden',
    { isFenced: true, asked: { ...asked, sources: undefined } },
    'replication-unreadable',
  ],
  [
    'fenced, and not all is applied',
    { isFenced: true, asked: following({ applied: false }) },
    'wait: not-applied',
  ],
  ['fenced, and something is left out', { isFenced: true, asked: following({ filtered: true }) }, 'filtered'],
  [
    'fenced, while the line to it seems to stand',
    { isFenced: true, asked: following({ receiving: true }) },
    'proved',
  ],
];

describe('judgeAbsence', () => {
  test.each(rows)('%s', (_, change, expected) => {
    const verdict = judgeAbsence({ ...proved, ...change });
    const found =
      verdict.kind === 'proved' ? 'proved' : `${verdict.kind === 'wait' ? 'wait: ' : ''}${verdict.missing}`;
    expect(found).toBe(expected);
  });

  it('never calls it proved while something that was received is not applied', () => {
    for (const isFenced of [false, true]) {
      for (const graceIsOver of [false, true]) {
        const verdict = judgeAbsence({
          ...proved,
          isFenced,
          graceIsOver,
          asked: following({ applied: false }),
        });
        expect(verdict.kind).toBe('wait');
      }
    }
  });

  it('says why in words', () => {
    const missing = new Map<MissingProof, string>();
    for (const [, change] of rows) {
      const verdict = judgeAbsence({ ...proved, ...change });
      if (verdict.kind !== 'proved') missing.set(verdict.missing, verdict.why);
    }
    for (const why of missing.values()) expect(why).toMatch(/^[a-z].*[^.]$/);
    expect(missing.size).toBe(6);
  });
});
