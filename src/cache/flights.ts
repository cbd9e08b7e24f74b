/** Work that several callers wait for. */
export interface Flight<T> {
  readonly landed: Promise<T>;
  /** Whether the caller's own work was taken. */
  readonly isOwn: boolean;
}

/** Lets those who want the same at the same time share one piece of work. */
export class Flights<T> {
  readonly #underway = new Map<string, Promise<T>>();

  /** What is under way for `key`. */
  find(key: string): Flight<T> | undefined {
    const landed = this.#underway.get(key);
    return landed === undefined ? undefined : { landed, isOwn: false };
  }

  /**
   * Joins what is under way for `key`, or begins. The work may be joined until it has failed, or `after` has settled, too.
   */
  join(key: string, work: () => { readonly landed: Promise<T>; readonly after: Promise<void> }): Flight<T> {
    const found = this.find(key);
    if (found !== undefined) return found;
    const { landed, after } = work();
    this.#underway.set(key, landed);
    const remove = (): void => {
      if (this.#underway.get(key) === landed) this.#underway.delete(key);
    };
    landed.then(() => after.then(remove, remove), remove);
    return { landed, isOwn: true };
  }
}
