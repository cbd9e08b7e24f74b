type Answer<R> = readonly (R | undefined)[];

/** Names that are asked for together. */
interface Batch<R> {
  /** Where each of them stands in the question. */
  readonly places: Map<string, number>;
  readonly answer: Promise<Answer<R>>;
  readonly send: () => void;
}

/** The most names in one question, so that no answer keeps the others waiting long. */
const mostNames = 256;

/**
 * Asks for records in one question for all who want some at the same moment. A question of its own for each costs
 * Redis and this process several times as much. Who is answered has asked before the question was sent.
 */
export class BatchedGets<R> {
  readonly #ask: (names: readonly string[]) => Promise<Answer<R>>;
  #open: Batch<R> | undefined;

  constructor(ask: (names: readonly string[]) => Promise<Answer<R>>) {
    this.#ask = ask;
  }

  /** In the order of the names. Rejects with what the question does. */
  get(names: readonly string[]): Promise<Answer<R>> {
    const { places, answer, send } = this.#batch();
    const wanted = names.map((name) => placeOf(places, name));
    if (places.size >= mostNames) send();
    return answer.then((records) => wanted.map((place) => records[place]));
  }

  /** What is asked for from now on goes into another question than what was asked for before. */
  cut(): void {
    this.#open?.send();
  }

  #batch(): Batch<R> {
    this.#open ??= this.#newBatch();
    return this.#open;
  }

  #newBatch(): Batch<R> {
    const places = new Map<string, number>();
    let send = (): void => {};
    const answer = new Promise<Answer<R>>((resolve) => {
      const atEnd = setImmediate(() => send());
      send = () => {
        clearImmediate(atEnd);
        this.#open = undefined;
        resolve(this.#ask([...places.keys()]));
      };
    });
    return { places, answer, send };
  }
}

function placeOf(places: Map<string, number>, name: string): number {
  const known = places.get(name);
  if (known !== undefined) return known;
  const place = places.size;
  places.set(name, place);
  return place;
}
