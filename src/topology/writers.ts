import type { Position } from '../consistency/position.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import type { ClusterEvents } from '../observe/events.ts';
import { describeIdentity, isSameLife, type ServerFacts, sameIdentity } from '../pool/identity.ts';
import { Complaints } from './complaints.ts';
import { isRelated } from './kinship.ts';
import { begunBy, type MasterLook, type Received } from './master-look.ts';
import { PastPrimaries } from './past-primaries.ts';
import { StaleTold } from './stale-told.ts';
import { StaleWrites } from './stale-writes.ts';
import { StandbyEvidence } from './standby-evidence.ts';
import { VipTurns } from './vip-turns.ts';
import type { Sighting } from './vip-watch.ts';
import type { WriteHold } from './write-hold.ts';

export interface WritersOptions {
  readonly events: ClusterEmitter;
  readonly twoWriters: 'warn' | 'stop';
  /** A proxy answers at the VIP: who does says nothing about who is the primary. */
  readonly proxied: boolean;
  /** Asks for a new connection through the VIP. */
  readonly lookAtVip: () => void;
  readonly hold: WriteHold;
}

/** A master as it is looked at: the same object as long as it is the same server in the same life. */
export interface WatchedServer {
  readonly facts: ServerFacts;
}

interface Present {
  readonly epoch: number;
  readonly facts: ServerFacts;
  readonly openedAt: number;
  /** What counts against others was asked after this. */
  readonly settledAt: number;
}

interface Known {
  readonly evidence: StandbyEvidence;
  server: WatchedServer;
  readonly complaints: Complaints;
  position: Position | undefined;
}

/** After a change of epoch a late fence and a late look are no evidence for so long. */
const settleMs = 2_000;

/** How long evidence of two writers holds. */
const evidenceMs = 10_000;

/** Who writes, and who should not: puts together what the VIP and the masters' own addresses show, and tells. */
export class Writers {
  /** Called when an epoch opens, new or again. */
  onOpened: (() => void) | undefined;
  readonly #options: WritersOptions;
  readonly #turns = new VipTurns();
  readonly #masters = new Map<string, Known>();
  readonly #pasts = new PastPrimaries();
  readonly #staleTold: StaleTold;
  /** The primary while it is open and the VIP is not known to lead elsewhere. */
  #present: Present | undefined;
  /** The epoch opened last, whether it is open or not. */
  #last: Present | undefined;
  #stale: StaleWrites | undefined;
  #evidenceAt = Number.NEGATIVE_INFINITY;

  constructor(options: WritersOptions) {
    this.#options = options;
    this.#staleTold = new StaleTold(options.events);
  }

  /** Why writes wait although there is a primary; `undefined` while they do not. */
  get heldBecause(): string | undefined {
    return this.#options.hold.reason;
  }

  /** Whether a server is the primary of the last epoch, in the same life. */
  isPrimary({ facts }: WatchedServer): boolean {
    return this.#last !== undefined && isSameLife(this.#last.facts, facts);
  }

  /** Somebody answers at the VIP. */
  sighted({ connection, floor }: Sighting, now = performance.now()): void {
    if (this.#options.proxied) return;
    const { identity } = connection.facts;
    const other = this.#turns.answered(identity, now);
    if (other !== undefined) {
      const servers = [identity, other].map(describeIdentity);
      const message = `the VIP was answered by ${servers.join(', by ')}, and by the first again within 10 s`;
      this.#found({ evidence: 'vip-turns', servers, positions: undefined, message }, now);
    }
    const present = this.#present;
    if (present === undefined) return;
    if (!sameIdentity(present.facts.identity, identity)) this.#suspend();
    else if (floor !== undefined) this.#confirm(present, connection.openedAt, now);
  }

  /** An epoch has opened, or goes on after an interruption. */
  opened(epoch: number, facts: ServerFacts, now = performance.now()): void {
    if (this.#options.proxied) return;
    const last = this.#last;
    this.#suspend();
    if (last?.epoch === epoch) {
      this.#present = { ...last, settledAt: Math.max(last.settledAt, now) };
    } else {
      if (last !== undefined) this.#pasts.add(last.facts);
      this.#present = { epoch, facts, openedAt: now, settledAt: now + settleMs };
      const pasts = this.#pasts.except(facts.identity).map((past) => past.identity);
      this.#stale = new StaleWrites(now, pasts);
    }
    this.#last = this.#present;
    this.onOpened?.();
  }

  /** Ends the hold, if there is one, without serving anybody. */
  stop(): void {
    this.#options.hold.stop();
  }

  /** The VIP does not answer as a writable primary. */
  interrupted(): void {
    this.#suspend();
  }

  /** Whether the next look at this server has to tell what it received too. */
  wantsReceived(server: WatchedServer, now = performance.now()): boolean {
    return this.isPrimary(server) && this.#stale?.wantsReceived(now) === true;
  }

  /** A master was looked at, by the address of that name. */
  looked(name: string, server: WatchedServer, look: MasterLook, received: Received | undefined): void {
    if (this.#options.proxied) return;
    const known = this.#know(name, server);
    known.position = look.position;
    if (this.isPrimary(server)) {
      known.evidence.isPrimary();
      const last = this.#last;
      if (last !== undefined)
        this.#staleTold.add(last.epoch, this.#stale?.look(look, received) ?? [], look.askedAt);
      return;
    }
    // One that has restarted since may bring what nobody knew it had.
    const past = this.#pasts.of(server.facts.identity);
    if (past !== undefined && isSameLife(past, server.facts)) this.#stale?.lookAtPast(past.identity, look);
    this.#judge(known, look);
  }

  #judge(known: Known, look: MasterLook): void {
    const { askedAt, writable, position } = look;
    const { identity } = known.server.facts;
    const present = this.#present;
    if (
      present === undefined ||
      askedAt < present.settledAt ||
      !isAnother(known, present) ||
      !this.#isRelated(known, present)
    ) {
      known.evidence.reset();
      if (!writable) known.evidence.look({ askedAt, writable, own: undefined });
      return;
    }
    const own = position === undefined ? undefined : begunBy(identity, position);
    if (known.evidence.look({ askedAt, writable, own })) this.#options.lookAtVip();
  }

  /** A server that never exchanged a transaction with the primary is a wrong address, not a second writer. */
  #isRelated(known: Known, { facts }: Present): boolean {
    const primary = [...this.#masters.values()].find(({ server }) => isSameLife(server.facts, facts));
    const related = isRelated(
      { identity: known.server.facts.identity, position: known.position },
      { identity: facts.identity, position: primary?.position },
    );
    if (related) {
      known.complaints.settle('unrelated');
    } else {
      const reason =
        `${describeIdentity(known.server.facts.identity)} and the primary have no transactions of each other, so that ` +
        'it is not taken for a second writer. Check this address in `masters`, and replication.';
      known.complaints.make('unrelated', reason);
    }
    return related;
  }

  /** The VIP leads to the primary on a connection opened at `openedAt`: what was suspected before is true. */
  #confirm(present: Present, openedAt: number, now: number): void {
    for (const [name, { evidence, server }] of this.#masters) {
      const { writable, wrote } = evidence.vipAnswered(openedAt);
      const described = describeIdentity(server.facts.identity);
      if (writable) this.#options.events.emit('standby:writable', { master: name, server: described });
      if (wrote === undefined) continue;
      const servers = [describeIdentity(present.facts.identity), described];
      const message = `${described} (${name}) wrote ${wrote} while ${servers[0]} held the VIP`;
      this.#found({ evidence: 'positions', servers, positions: wrote.toString(), message }, now);
    }
  }

  #found(finding: Omit<ClusterEvents['two-writers'], 'stopped'>, now: number): void {
    const { events, twoWriters, hold } = this.#options;
    const isNews = now - this.#evidenceAt >= evidenceMs;
    this.#evidenceAt = now;
    const stopped = twoWriters === 'stop';
    if (stopped) hold.hold(finding.message, evidenceMs);
    if (isNews) events.emit('two-writers', { ...finding, stopped });
  }

  #suspend(): void {
    this.#present = undefined;
    for (const { evidence } of this.#masters.values()) evidence.reset();
  }

  #know(name: string, server: WatchedServer): Known {
    const known = this.#masters.get(name);
    if (known === undefined) {
      const complaints = new Complaints(name, this.#options.events);
      const first: Known = { evidence: new StandbyEvidence(), complaints, server, position: undefined };
      this.#masters.set(name, first);
      return first;
    }
    if (known.server !== server) {
      known.evidence.reset();
      known.server = server;
    }
    return known;
  }
}

/** The primary restarted a moment ago, or a clone with its identity, is neither the primary nor another master. */
function isAnother({ server }: Known, present: Present): boolean {
  return !sameIdentity(server.facts.identity, present.facts.identity);
}
