import type { Readable } from 'node:stream';
import { type Begun, begin } from '../../handles/begin.ts';
import type { Call } from '../../handles/call.ts';
import { createRowStream } from '../../handles/row-stream.ts';
import { pumpOnReplica, runOnReplica } from '../../handles/run-on-replica.ts';
import type { Services } from '../../handles/services.ts';
import type { DriverOptions } from '../../pool/driver-reading.ts';
import type { DriverAnswer } from './driver-command.ts';
import { toDriverError } from './driver-error.ts';
import { callOf, type DriverQuery } from './driver-query.ts';
import type { DriverSession } from './driver-session.ts';

export interface ReplicaSessionParts {
  readonly services: Services;
  readonly driver: DriverOptions;
  /** What errors call it. */
  readonly name: string;
  /** The limit of each statement, where the caller has set one. */
  readonly timeoutMs: number | undefined;
  /** Throws what may not be read there besides. */
  readonly check?: (call: Call) => void;
}

/** What a query on a replica gets for a connection: each of its reads goes to the server that is best at that moment. */
export class ReplicaSession implements DriverSession {
  readonly driver: DriverOptions;
  readonly #parts: ReplicaSessionParts;
  readonly #cancelling = new AbortController();

  constructor(parts: ReplicaSessionParts) {
    this.driver = parts.driver;
    this.#parts = parts;
  }

  get threadId(): number {
    return 0;
  }

  get lost(): boolean {
    return false;
  }

  /** Stops the reads under way. */
  cancel(): void {
    this.#cancelling.abort();
  }

  async reset(): Promise<void> {}

  async restore(): Promise<void> {}

  destroy(): void {
    this.cancel();
  }

  async answer(query: DriverQuery): Promise<DriverAnswer> {
    let call: Call | undefined;
    try {
      call = this.#callOf(query);
      const { rows, fields } = await runOnReplica(this.#parts.services, this.#begin(query), call, undefined);
      return [rows, fields];
    } catch (error) {
      throw toDriverError(error, call?.command.text ?? query.sql);
    }
  }

  rows(query: DriverQuery, highWaterMark: number | undefined): Readable {
    const { services } = this.#parts;
    const call = this.#callOf(query);
    const begun = this.#begin(query);
    const run = pumpOnReplica(services, begun, call, undefined);
    return createRowStream({
      call,
      highWaterMark,
      timeoutMs: begun.timeoutMs,
      signal: query.signal,
      run: (pump) =>
        run(pump).catch((error: unknown) => {
          throw toDriverError(error, call.command.text);
        }),
    });
  }

  #begin(query: DriverQuery): Begun {
    const { services, timeoutMs, name } = this.#parts;
    const { signal: cancelled } = this.#cancelling;
    const signal = query.signal === undefined ? cancelled : AbortSignal.any([query.signal, cancelled]);
    return begin(services, name, { timeoutMs: query.timeoutMs ?? timeoutMs, signal });
  }

  #callOf(query: DriverQuery): Call {
    const call = callOf(query, this.driver);
    this.#parts.check?.(call);
    return call;
  }
}
