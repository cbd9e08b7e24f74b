import { AsyncLocalStorage } from 'node:async_hooks';
import { unionOfFloors } from '../consistency/floor.ts';
import { Session } from './session.ts';
import type { Tokens } from './tokens.ts';

/** Knows which session of this cluster the running code belongs to. */
export class SessionScope {
  readonly #storage = new AsyncLocalStorage<Session>();
  readonly #tokens: Tokens;
  #used = false;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  get current(): Session | undefined {
    return this.#used ? this.#storage.getStore() : undefined;
  }

  /**
   * Runs `fn` in a session that sees what `token` and the session around it have seen. That one learns at the end what
   * this one has seen, however it ends.
   */
  async run<T>(fn: () => Promise<T>, token: string | undefined): Promise<T> {
    const outer = this.current;
    const given = this.#tokens.read(token);
    const session = new Session(outer === undefined ? given : unionOfFloors(outer.floor, given));
    this.#used = true;
    try {
      return await this.#storage.run(session, fn);
    } finally {
      outer?.absorb(session);
    }
  }

  /** What carries the present session to another one; `undefined` outside, and before anything was seen. */
  token(): string | undefined {
    const { current } = this;
    return current === undefined ? undefined : this.#tokens.write(current.floor);
  }
}
