import type { Connection } from '../pool/connection.ts';
import { isRestart, sameIdentity } from '../pool/identity.ts';
import { Deadline } from '../resilience/deadline.ts';
import type { VipWatch } from './vip-watch.ts';

/** Longest wait for the answer to a `KILL`. */
const killTimeoutMs = 1_000;

/** Ends statements and sessions on the server that the control connection leads to, and on no other. */
export class SessionKill {
  readonly #watch: Pick<VipWatch, 'control' | 'command'>;
  readonly #proxied: boolean;

  constructor(watch: Pick<VipWatch, 'control' | 'command'>, proxied: boolean) {
    this.#watch = watch;
    this.#proxied = proxied;
  }

  /** Ends the statement that runs there. Rejects where that cannot be asked for, or is not answered in time. */
  async query(victim: Connection): Promise<void> {
    await this.#command(`KILL QUERY ${victim.id}`, victim);
  }

  /**
   * Ends a session whose line is lost, so that the locks of its transaction do not outlive it. Does what it can and
   * never rejects: where the server cannot be reached the session ends when the server notices by itself.
   */
  async session(victim: Connection): Promise<void> {
    // Ids are those of the proxy, and the next one may be another.
    if (this.#proxied) return;
    await this.#command(`KILL ${victim.id}`, victim).catch(() => {
      // Unknown thread (1094): it has gone already. Anything else: see above.
    });
  }

  /** Connection ids are small integers of one server: on any other server the same id is a stranger's. */
  async #command(text: string, victim: Connection): Promise<void> {
    const { control } = this.#watch;
    if (control === undefined || !sameIdentity(control.facts.identity, victim.facts.identity)) return;
    if (isRestart(victim.facts.startedAtMs, control, 0)) return;
    const deadline = new Deadline(killTimeoutMs);
    let cancel: (() => void) | undefined;
    // The watch may have to wait for a beat that nobody answers.
    const late = new Promise<never>((_, reject) => {
      cancel = deadline.onInterrupt(() => reject(new Error('the control connection was busy')));
    });
    try {
      await Promise.race([this.#watch.command(text, control, deadline), late]);
    } finally {
      cancel?.();
    }
  }
}
