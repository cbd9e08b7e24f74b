import type { ResolvedConfig } from '../config/types.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import { LagComplaints } from './lag-complaints.ts';
import type { LagLook, LagSource } from './lag-source.ts';
import { afterLook, asTimePasses, type LagStanding } from './lag-standing.ts';
import type { ReplicaServer } from './replica-server.ts';

export interface ReplicaLagOptions {
  readonly name: string;
  readonly settings: Pick<ResolvedConfig['lag'], 'maxLagMs' | 'intervalMs'>;
  /** A server that has told nothing for so long since it was first asked is one of which nothing is known. */
  readonly patienceMs: number;
  readonly source: LagSource;
  /** Whether the server is the primary, which has no lag. */
  readonly isPrimary: () => boolean;
  readonly events: ClusterEmitter;
  /** It may take reads now, or may not any more, or something is known of it for the first time. */
  readonly onChange: () => void;
}

/** A look that told something. */
interface Known {
  readonly lagMs: number;
  /** When it was asked. */
  readonly at: number;
}

/** Looks come sooner by this share while the next one will tell more. */
const soonShare = 0.1;

/** Between looks while somebody has to put something in order first. */
const laterMs = 5_000;

/** How old the server at one address may be, and whether it takes reads all the same. */
export class ReplicaLag {
  readonly #options: ReplicaLagOptions;
  readonly #complaints: LagComplaints;
  #server: ReplicaServer | undefined;
  #known: Known | undefined;
  #last: LagLook | undefined;
  #standing: LagStanding = { kind: 'new' };
  #newUntil = Number.POSITIVE_INFINITY;
  #question: object | undefined;
  #nextAt = 0;
  /** Since when it is told to be put aside. */
  #asideSince: number | undefined;

  constructor(options: ReplicaLagOptions) {
    this.#options = options;
    this.#complaints = new LagComplaints(options.events);
  }

  /** Its lag is no reason to give it no reads. */
  get admitted(): boolean {
    return this.#options.settings.maxLagMs === 0 || this.#standing.kind === 'admitted';
  }

  /** Once it is asked, it may soon tell for the first time. */
  get expected(): boolean {
    return this.#standing.kind === 'new' && this.#server?.identified === true && !this.#options.isPrimary();
  }

  /** What the last look told. */
  get lagMs(): number | undefined {
    if (this.#server?.identified === true && this.#options.isPrimary()) return 0;
    const lagMs = this.#last?.lagMs;
    return lagMs === undefined ? undefined : Math.round(lagMs);
  }

  /** How old it may be by now: what it told last, and the time since then. `undefined`: unknown. */
  atMostMs(now: number): number | undefined {
    return this.#known && this.#known.lagMs + now - this.#known.at;
  }

  /** What is known of its lag, for people. */
  describe(): string {
    const atMostMs = this.atMostMs(performance.now());
    const known = atMostMs === undefined ? 'its lag is unknown' : `it may be ${Math.round(atMostMs)} ms old`;
    return this.#last?.reason === undefined ? known : `${known}, since ${this.#last.reason}`;
  }

  /** Another server answers from now on, or another life of it: nothing is known of that. */
  meet(server: ReplicaServer): void {
    this.#server = server;
    this.#known = undefined;
    this.#last = undefined;
    this.#standing = { kind: 'new' };
    this.#newUntil = Number.POSITIVE_INFINITY;
    this.#question = undefined;
    this.#nextAt = 0;
  }

  /** The primary has shown a new heartbeat: looks at once, or as soon as the look under way has ended. */
  look(): void {
    this.#nextAt = 0;
    this.tick(performance.now());
  }

  /** To be called often, once lag matters and while a server answers; looks when it is time to. */
  tick(now: number): void {
    const server = this.#server;
    if (server?.identified !== true || server.retired) return;
    if (this.#options.isPrimary()) {
      // Once it is a replica, everything is to be heard anew.
      if (this.#last !== undefined || this.#standing.kind !== 'new') this.meet(server);
      return;
    }
    if (this.#question === undefined && now >= this.#nextAt) void this.#look(server, now);
    if (this.#standing.kind !== 'new') {
      this.#settle(asTimePasses(this.#standing, this.atMostMs(now), this.#limit));
      return;
    }
    if (this.#newUntil === Number.POSITIVE_INFINITY) this.#newUntil = now + this.#options.patienceMs;
    if (now >= this.#newUntil) this.#settle(afterLook(this.#standing, undefined, this.#limit));
  }

  get #limit(): number {
    return this.#options.settings.maxLagMs || Number.POSITIVE_INFINITY;
  }

  async #look(server: ReplicaServer, at: number): Promise<void> {
    const { source, name, settings } = this.#options;
    const question = {};
    this.#question = question;
    this.#nextAt = at + settings.intervalMs;
    const look = await source(server);
    if (question !== this.#question || server.retired) return;
    this.#question = undefined;
    if (look === undefined) return;
    if (look.next === 'soon') this.#nextAt = Math.min(this.#nextAt, at + settings.intervalMs * soonShare);
    if (look.next === 'later') this.#nextAt = Math.max(this.#nextAt, at + laterMs);
    this.#last = look;
    this.#complaints.note(name, look.problem);
    if (look.lagMs !== undefined) this.#known = { lagMs: look.lagMs, at };
    this.#settle(afterLook(this.#standing, look.lagMs, this.#limit));
  }

  #settle(standing: LagStanding): void {
    const before = this.#standing;
    this.#standing = standing;
    if (before.kind === standing.kind) return;
    this.#options.onChange();
    if (this.#options.settings.maxLagMs > 0) this.#tell(standing);
  }

  #tell({ kind }: LagStanding): void {
    const { name, events, settings } = this.#options;
    const { maxLagMs } = settings;
    if (kind === 'aside') {
      this.#asideSince ??= performance.now();
      events.emit('replica:lagging', { replica: name, lagMs: this.lagMs, maxLagMs, reason: this.describe() });
    } else if (this.#asideSince !== undefined) {
      const asideMs = Math.round(performance.now() - this.#asideSince);
      this.#asideSince = undefined;
      events.emit('replica:caught-up', { replica: name, lagMs: this.lagMs ?? 0, asideMs });
    }
  }
}
