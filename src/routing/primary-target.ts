import type { Connection } from '../pool/connection.ts';
import type { Deadline } from '../resilience/deadline.ts';
import type { PrimaryReader } from '../topology/primary-reader.ts';
import type { ReadTerms } from '../topology/read-terms.ts';
import { LatencyAverage } from '../topology/replica-latency.ts';
import type { ReadTarget } from './read-target.ts';

/** The primary as one more server to read from, by `balance.primaryWeight` or as fallback. */
export class PrimaryTarget implements ReadTarget {
  readonly name: string;
  readonly zone = undefined;
  readonly upSince = Number.NEGATIVE_INFINITY;
  readonly weight: number;
  readonly #reader: PrimaryReader;
  readonly #latency = new LatencyAverage();

  constructor(reader: PrimaryReader, weight: number) {
    this.#reader = reader;
    this.name = reader.address;
    this.weight = weight;
  }

  get inFlight(): number {
    return this.#reader.inFlight;
  }

  latencyMs(now: number): number {
    return this.#latency.valueMs(now);
  }

  async read<T>(
    deadline: Deadline,
    run: (connection: Connection) => Promise<T>,
    { timed = true }: ReadTerms = {},
  ): Promise<T> {
    return await this.#reader.read(deadline, async (connection) => {
      const startedAt = performance.now();
      const result = await run(connection);
      if (timed) {
        const now = performance.now();
        this.#latency.record(now - startedAt, now);
      }
      return result;
    });
  }
}
