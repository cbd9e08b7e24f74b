import type { Cluster } from '../../cluster.ts';
import type { PinnedConnection } from '../../handles/pinned-connection.ts';

/** A connection to the primary of which the end is said from outside. */
export class OwnSession {
  readonly pinned: PinnedConnection;
  readonly #giveBack: () => void;
  readonly #ended: Promise<void>;

  private constructor(pinned: PinnedConnection, giveBack: () => void, ended: Promise<void>) {
    this.pinned = pinned;
    this.#giveBack = giveBack;
    this.#ended = ended;
  }

  /** Rejects as `db.primary().connection` does. */
  static begin(db: Cluster): Promise<OwnSession> {
    return new Promise((resolve, reject) => {
      const ended: Promise<void> = db
        .primary()
        .connection(
          (pinned) => new Promise<void>((giveBack) => resolve(new OwnSession(pinned, giveBack, ended))),
        );
      ended.catch(reject);
    });
  }

  /** Takes back what was done to the session. Never rejects: where that fails, the connection is closed. */
  async end(): Promise<void> {
    this.#giveBack();
    await this.#ended;
  }
}
