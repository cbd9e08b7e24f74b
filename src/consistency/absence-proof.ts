import type { MissingProof } from '../errors/errors.ts';
import type { ReplicationSource } from './replication-source.ts';
import type { SemiSync } from './semi-sync.ts';

/** What is known when another server than the one that was asked to commit does not have the id. */
export interface AbsenceQuestion {
  /** The server that left the COMMIT unanswered. */
  readonly lost: {
    readonly uuid: string;
    readonly serverId: number;
    /** What it said shortly before; `undefined` when it was not read in time. */
    readonly semiSync: SemiSync | undefined;
  };
  /** The primary that was asked. */
  readonly asked: {
    readonly uuid: string;
    readonly serverId: number;
    /** Whom it follows; `undefined` when it does not say. */
    readonly sources: readonly ReplicationSource[] | undefined;
    readonly acknowledges: boolean;
  };
  /** The caller says that the lost server will bring nothing any more. */
  readonly isFenced: boolean;
  /** A commit that was merely under way has had the time to arrive. */
  readonly graceIsOver: boolean;
}

export type AbsenceVerdict =
  /** It was not committed, and if it ever arrives, it is not part of this history. */
  | { readonly kind: 'proved' }
  /** Ask again: it may still come. `missing` says what is missing if there is no time for that. */
  | { readonly kind: 'wait'; readonly missing: MissingProof; readonly why: string }
  | { readonly kind: 'unproved'; readonly missing: MissingProof; readonly why: string };

/**
 * Decides what it means that the new primary does not have an id. With semi-synchronous replication (AFTER_SYNC) no
 * client was told of a commit, and none could see it, before the other server had received it; so what the only server
 * that could have received it has not received, and has not left unapplied, was never committed. Pure.
 */
export function judgeAbsence(question: AbsenceQuestion): AbsenceVerdict {
  const { lost, asked, isFenced, graceIsOver } = question;
  const { sources } = asked;
  if (sources === undefined) {
    return unproved(
      'replication-unreadable',
      'the new primary does not let this account see whom it follows',
    );
  }
  const followed = sources.find((source) => isSame(source, lost));
  if (followed === undefined && !(isFenced && sources.length === 0)) {
    return unproved(
      'replication-unreadable',
      'the new primary does not follow the lost one, so nothing says what it has received',
    );
  }
  if (sources.some(({ applied }) => !applied)) {
    return wait('not-applied', 'the new primary has not applied all that it has received');
  }
  if (sources.some(({ filtered }) => filtered)) {
    return unproved(
      'filtered',
      'the new primary leaves out a part of what it receives (replication filters)',
    );
  }
  if (isFenced) return { kind: 'proved' };
  const verdict = judgeSemiSync(question);
  if (followed?.receiving !== true || graceIsOver) return verdict;
  const { missing, why } =
    verdict.kind === 'proved' ? { missing: 'deadline' as const, why: 'the time was up' } : verdict;
  return wait(missing, why);
}

function judgeSemiSync({ lost, asked }: AbsenceQuestion): Exclude<AbsenceVerdict, { kind: 'wait' }> {
  const { semiSync } = lost;
  if (semiSync === undefined) {
    return unproved(
      'not-semi-synchronous',
      'it was not read in time whether the lost primary replicated semi-synchronously',
    );
  }
  const { weakness, clients, acknowledgers } = semiSync;
  if (weakness !== undefined)
    return unproved('not-semi-synchronous', `of the lost primary it is known that ${weakness}`);
  if (acknowledgers === undefined) {
    return unproved(
      'other-acknowledger',
      'the lost primary did not let this account see who acknowledged its commits',
    );
  }
  const { ids, exact } = acknowledgers;
  const isAlone = clients === 1 && (!exact || ids.length === 1);
  if (
    !isAlone ||
    !asked.acknowledges ||
    !ids.includes(asked.uuid === '' ? String(asked.serverId) : asked.uuid)
  ) {
    return unproved(
      'other-acknowledger',
      `the new primary was not the only server that could acknowledge its commits (${clients} could)`,
    );
  }
  return { kind: 'proved' };
}

function isSame(source: ReplicationSource, lost: AbsenceQuestion['lost']): boolean {
  return lost.uuid === '' ? source.serverId === lost.serverId : source.uuid === lost.uuid;
}

function wait(missing: MissingProof, why: string): AbsenceVerdict {
  return { kind: 'wait', missing, why };
}

function unproved(
  missing: MissingProof,
  why: string,
): { kind: 'unproved'; missing: MissingProof; why: string } {
  return { kind: 'unproved', missing, why };
}
