/** While it holds, no write begins on the primary. */
export class WriteHold {
  readonly #onBegin: () => void;
  readonly #onEnd: () => void;
  #reason: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ onBegin, onEnd }: { readonly onBegin: () => void; readonly onEnd: () => void }) {
    this.#onBegin = onBegin;
    this.#onEnd = onEnd;
  }

  /** Why writes wait, for people; `undefined` while they do not. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Lets writes wait for `ms` from now on; the later call counts. */
  hold(reason: string, ms: number): void {
    const isNews = this.#reason === undefined;
    this.#reason = reason;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(), ms);
    if (isNews) this.#onBegin();
  }

  /** Ends it without telling anybody. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#reason = undefined;
  }

  #end(): void {
    this.#reason = undefined;
    this.#onEnd();
  }
}
