import { judgeAbsence } from '../consistency/absence-proof.ts';
import type { LedgerEntry } from '../consistency/ledger-statements.ts';
import { parsePosition } from '../consistency/parse-position.ts';
import { type ReplicationSource, readSource } from '../consistency/replication-source.ts';
import { acknowledges, type SemiSync } from '../consistency/semi-sync.ts';
import { ClosedError, type MissingProof } from '../errors/errors.ts';
import { ownCommand } from '../pool/command.ts';
import type { Connection } from '../pool/connection.ts';
import { describeIdentity, isRestart, sameIdentity } from '../pool/identity.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { isInterrupted } from '../resilience/interruption.ts';
import type { CommitLedger } from './commit-ledger.ts';
import { askIfAllowed, askVariables, type LedgerRow, readRow } from './ledger-questions.ts';

/** A COMMIT without an answer. */
export interface Doubt {
  readonly entry: LedgerEntry;
  /** The connection that it was sent on. */
  readonly victim: Connection;
  /** How commits on that server waited for others. */
  readonly semiSync: SemiSync | undefined;
}

/** What became of it. */
export type Finding =
  | { readonly kind: 'committed'; readonly row: LedgerRow }
  /** It is not committed, and cannot be any more: a fence stands in its place. */
  | { readonly kind: 'absent' }
  | Unresolved;

export interface Unresolved {
  readonly kind: 'unresolved';
  readonly missing: MissingProof;
  /** What was found instead; goes on after "because". */
  readonly why: string;
}

/** The server cannot tell yet; `unresolved` is what holds if there is no time to ask again. */
type Reply = Finding | { readonly kind: 'again'; readonly unresolved: Unresolved };

/** The caller's answer about the lost server. */
interface Word {
  readonly isFenced: boolean;
  readonly said: string;
}

const pauseMs = 50;

/** How long a commit that a live server still has under way may take to arrive at the new primary. */
const graceMs = 2_000;

/** Asks the current primary, whichever that is, what became of one COMMIT, until it tells or the time is up. */
export class CommitInquiry {
  readonly #ledger: CommitLedger;
  readonly #doubt: Doubt;
  readonly #deadline: Deadline;
  readonly #startedAt = performance.now();
  /** Another server has been asked than the one that was to commit. */
  #isElsewhere = false;
  /** What the caller said of the lost server; `undefined` until it was asked. */
  #word: Word | undefined;

  constructor(ledger: CommitLedger, doubt: Doubt, deadline: Deadline) {
    this.#ledger = ledger;
    this.#doubt = doubt;
    this.#deadline = deadline;
  }

  /** Never rejects. */
  async run(): Promise<Finding> {
    let latest = unresolved('deadline', 'no primary could be asked in time');
    for (;;) {
      const reply = await this.#ask();
      if (reply.kind === 'again') latest = moreTelling(latest, reply.unresolved);
      else if (reply.kind !== 'unresolved' || !this.#mayAskCaller) return reply;
      if (this.#mayAskCaller) this.#word = await this.#askCaller();
      const interruption = (await this.#deadline.sleep(pauseMs)) ?? this.#deadline.interruption();
      if (interruption === 'aborted')
        return unresolved('aborted', 'the signal fired before it was found out');
      if (interruption === 'timeout') return latest;
    }
  }

  async #ask(): Promise<Reply> {
    try {
      return await this.#ledger.primary.use(this.#deadline, (connection) => this.#askOn(connection));
    } catch (error) {
      if (error instanceof ClosedError)
        return unresolved('closed', 'the cluster was closed before it was found out');
      if (!(error instanceof Failed)) return again('deadline', String(error));
      const { kind, message } = error.failure;
      if (kind === 'sql') return unresolved('ledger-unreadable', `the primary answered: ${message}`);
      if (kind === 'lock-timeout') return again('deadline', 'its transaction had not ended in time');
      if (!isInterrupted(error.failure))
        return again('deadline', `no primary could be asked in time: ${message}`);
      const isBusy = error.failure.phase === 'answer';
      return again(
        'deadline',
        isBusy ? 'the primary did not answer in time' : 'no primary could be asked in time',
      );
    }
  }

  async #askOn(connection: Connection): Promise<Reply> {
    const { victim } = this.#doubt;
    if (sameIdentity(victim.facts.identity, connection.facts.identity)) {
      await this.#endVictim(connection);
      return await this.#fence(connection, undefined);
    }
    this.#isElsewhere = true;
    const verdict = await this.#judgeOn(connection);
    if (verdict.kind === 'proved') {
      return await this.#fence(connection, describeIdentity(victim.facts.identity));
    }
    // Read afterwards: what was received when the judgement was made can be seen by now.
    const row = await readRow(connection, this.#ledger.statements.read(this.#doubt.entry.id), this.#deadline);
    if (row?.committed === true) return { kind: 'committed', row };
    const why = this.#word === undefined ? verdict.why : `${verdict.why}, and ${this.#word.said}`;
    return verdict.kind === 'wait' ? again(verdict.missing, why) : unresolved(verdict.missing, why);
  }

  /** Ends the session of the COMMIT. Only makes it faster: what its transaction has locked stays locked until it ends. */
  async #endVictim(connection: Connection): Promise<void> {
    const { victim } = this.#doubt;
    const isSameLife =
      victim.epoch === connection.epoch || !isRestart(victim.facts.startedAtMs, connection, victim.id);
    if (this.#ledger.proxied || !isSameLife) return;
    // Unknown thread (1094): it has ended already.
    await askIfAllowed(connection, `KILL ${victim.id}`, this.#deadline);
  }

  /**
   * Puts a fence in the place of the row. That waits for the transaction to end if it has not yet, and fails when the
   * row is there. A commit that was found has to be as safe as one that was answered: a write after it is awaited.
   */
  async #fence(connection: Connection, lostServer: string | undefined): Promise<Reply> {
    const { statements } = this.#ledger;
    const { entry } = this.#doubt;
    const write = (text: string): Promise<unknown> =>
      connection.run(ownCommand(text, 'single-write'), this.#deadline);
    connection.tainted = true;
    await write('SET SESSION innodb_lock_wait_timeout = 1, lock_wait_timeout = 1');
    try {
      await write(statements.fence(entry, lostServer));
      return { kind: 'absent' };
    } catch (error) {
      if (!(error instanceof Failed) || error.failure.kind !== 'duplicate-key') throw error;
    }
    await write(statements.confirm(entry.id, lostServer));
    const row = await readRow(connection, statements.read(entry.id), this.#deadline);
    if (row === undefined) return again('deadline', 'the row was deleted meanwhile');
    return row.committed ? { kind: 'committed', row } : { kind: 'absent' };
  }

  async #judgeOn(connection: Connection): Promise<ReturnType<typeof judgeAbsence>> {
    const { victim, semiSync } = this.#doubt;
    const { uuid, serverId } = connection.facts.identity;
    const sources = await this.#readSources(connection);
    const variables = await askVariables(connection, this.#deadline);
    return judgeAbsence({
      lost: { uuid: victim.facts.identity.uuid, serverId: victim.facts.identity.serverId, semiSync },
      asked: { uuid, serverId, sources, acknowledges: acknowledges(variables) },
      isFenced: this.#word?.isFenced === true,
      graceIsOver: performance.now() - this.#startedAt > graceMs,
    });
  }

  async #readSources(connection: Connection): Promise<readonly ReplicationSource[] | undefined> {
    const { vendor } = connection.facts;
    const allowed = (question: string): ReturnType<typeof askIfAllowed> =>
      askIfAllowed(connection, question, this.#deadline);
    const rows =
      vendor === 'mariadb'
        ? await allowed('SHOW ALL SLAVES STATUS')
        : ((await allowed('SHOW REPLICA STATUS')) ?? (await allowed('SHOW SLAVE STATUS')));
    return rows?.map((row) =>
      readSource(row, (executed, received) =>
        parsePosition(vendor, executed).contains(parsePosition(vendor, received)),
      ),
    );
  }

  get #mayAskCaller(): boolean {
    return this.#isElsewhere && this.#word === undefined && this.#ledger.isFenced !== undefined;
  }

  /** A caller that throws, or does not answer until the deadline, has not given its word. */
  async #askCaller(): Promise<Word> {
    const { isFenced } = this.#ledger;
    const { facts, epoch } = this.#doubt.victim;
    const asked = (async () => (await isFenced?.({ ...facts.identity, epoch })) === true)();
    return await new Promise<Word>((resolve) => {
      const cancel = this.#deadline.onInterrupt(() => resolve(word(false, 'had not answered in time')));
      asked.then(
        (answer) => {
          cancel();
          resolve(word(answer, answer ? 'said that it is fenced' : 'did not say that it is fenced'));
        },
        (error: unknown) => {
          cancel();
          resolve(word(false, `failed: ${error instanceof Error ? error.message : String(error)}`));
        },
      );
    });
  }
}

function word(isFenced: boolean, said: string): Word {
  return { isFenced, said: `exactlyOnce.isFenced ${said}` };
}

function unresolved(missing: MissingProof, why: string): Unresolved {
  return { kind: 'unresolved', missing, why };
}

/** That there was no answer this time tells less than what an earlier one lacked. */
function moreTelling(earlier: Unresolved, later: Unresolved): Unresolved {
  return later.missing === 'deadline' && earlier.missing !== 'deadline' ? earlier : later;
}

function again(missing: MissingProof, why: string): Reply {
  return { kind: 'again', unresolved: unresolved(missing, why) };
}
