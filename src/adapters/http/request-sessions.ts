import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cluster } from '../../cluster.ts';
import { InvalidTokenError } from '../../errors/errors.ts';
import { beforeHeaders } from './before-headers.ts';
import { type Carrier, carrierOf } from './carrier.ts';
import { checkHttpOptions, type HttpSessionOptions } from './options.ts';

/** What is needed of a cluster. */
export type SessionCluster = Pick<Cluster, 'session' | 'token'>;

/** One request and its response. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** It came over TLS. */
  readonly isSecure: boolean;
}

/** Responses that carry the session of a cluster already, whoever set that up. */
const carried = new WeakMap<SessionCluster, WeakSet<ServerResponse>>();

/** Opens a session of a cluster for each request, and carries it on to the next one. */
export class RequestSessions {
  readonly #db: SessionCluster;
  readonly #carrier: Carrier;
  readonly #rejects: boolean;

  constructor(db: SessionCluster, options: HttpSessionOptions = {}) {
    checkHttpOptions(options);
    this.#db = db;
    this.#carrier = carrierOf(options);
    this.#rejects = options.onInvalid === 'reject';
  }

  /**
   * Runs `handle` in the session of a request, at once where its token is valid; `reject` instead when the token is
   * refused. What `handle` leaves running is in the session too.
   */
  async run<T>(exchange: Exchange, handle: () => T | Promise<T>, reject: (why: string) => T): Promise<T> {
    const { request, response, isSecure } = exchange;
    // Set up twice, the inner session would keep from the outer one what it writes.
    const responses = carried.get(this.#db) ?? new WeakSet();
    if (responses.has(response)) return await handle();
    carried.set(this.#db, responses.add(response));
    const given = this.#carrier.read(request);
    let began = false;
    const open = async (): Promise<T> => {
      began = true;
      this.#follow(exchange, given);
      return await handle();
    };
    try {
      return await this.#db.session(open, { token: given });
    } catch (error) {
      if (began || !(error instanceof InvalidTokenError)) throw error;
      if (!this.#rejects) return await this.#db.session(open);
      // A browser would be refused for ever otherwise.
      this.#carrier.clear(response, isSecure);
      return reject('The session token of this request cannot be used.');
    }
  }

  /** Called inside the session. */
  #follow({ request, response, isSecure }: Exchange, given: string | undefined): void {
    const session = new AsyncResource('vipsql.http');
    // A body arrives in events that come from outside: who reads it and goes on from there stays in the session.
    const emit = request.emit as (...event: unknown[]) => boolean;
    request.emit = (...event: unknown[]) => session.runInAsyncScope(emit, request, ...event);
    beforeHeaders(response, () => {
      const token = session.runInAsyncScope(() => this.#db.token());
      if (token !== undefined && token !== given) this.#carrier.write(response, token, isSecure);
    });
  }
}
