type Answer<R> = readonly (R | undefined)[];

/** Names that are asked for together. */
interface Batch<R> {
  /** Where each of them stands in the question. */
  readonly places: Map<string, number>;
  readonly answer: Promise<Answer<R>>;
  readonly send: () => void;
  readers: number;
}

/** The most readers of one question: Redis answers the first ones while this process asks for the next. */
const mostReaders = 32;

/**
 * Asks for records in one question for all who want some at the same moment. A question of its own for each costs
 * Redis and this process several times as much. Who is answered has asked before the question was sent.
 */
export class BatchedGets<R> {
  readonly #ask: (names: readonly string[]) => Promise<Answer<R>>;
  #open: Batch<R> | undefined;
  #unanswered = 0;

  constructor(ask: (names: readonly string[]) => Promise<Answer<R>>) {
    this.#ask = ask;
  }

  /** In the order of the names. Rejects with what the question does. */
  get(names: readonly string[]): Promise<Answer<R>> {
    const batch = this.#batch();
    const { places, answer } = batch;
    const wanted: number[] = [];
    for (const name of names) wanted.push(placeOf(places, name));
    batch.readers += 1;
    if (batch.readers === mostReaders) batch.send();
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
      let isSent = false;
      send = () => {
        if (isSent) return;
        isSent = true;
        this.#open = undefined;
        this.#unanswered += 1;
        resolve(this.#ask([...places.keys()]).finally(() => (this.#unanswered -= 1)));
      };
      // Nobody waits for others who is alone; while answers are awaited, more readers may come along.
      if (this.#unanswered === 0) process.nextTick(() => send());
      else setImmediate(() => send());
    });
    return { places, answer, send, readers: 0 };
  }
}

function placeOf(places: Map<string, number>, name: string): number {
  const known = places.get(name);
  if (known !== undefined) return known;
  const place = places.size;
  places.set(name, place);
  return place;
}
