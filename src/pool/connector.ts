import type { Socket } from 'node:net';
import type { Credentials, Endpoint, SessionConfig } from '../config/types.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { Failed } from '../resilience/failed.ts';
import { classifyFailure, type Failure } from '../resilience/failures.ts';
import { AddressGuard } from './address-guard.ts';
import type { Connection } from './connection.ts';
import { dial } from './dial.ts';
import { openSession, type SessionOptions } from './open-session.ts';
import { askPassword } from './password.ts';
import { SetUpFailed } from './set-up-failed.ts';

export interface ConnectorOptions {
  readonly endpoint: Endpoint;
  readonly credentials: Credentials;
  readonly session: SessionConfig;
  readonly role: 'primary' | 'replica';
  readonly tcpTimeoutMs: number;
  readonly loginTimeoutMs: number;
  /** Told when the server refuses this host altogether (1129). */
  readonly onHostBlocked: (endpoint: Endpoint) => void;
}

class LoginTimeout extends Error {
  readonly code = 'ETIMEDOUT';
}

/** Looks whether the server has said anything, within `loginTimeoutMs`. */
const looksPerTimeout = 4;

/** A login that goes on and on is given up after so many times `loginTimeoutMs`. */
const longestLogin = 10;

/** Who waits for its turn looks this often whether it has come sooner than was said. */
const longestTurnWaitMs = 250;

export interface ConnectOptions {
  readonly readOnly: boolean;
  /** See {@link SessionOptions.countsChanged}. */
  readonly countsChanged?: boolean | undefined;
  readonly deadline: Deadline;
  /** Given the socket once it stands. */
  readonly onConnected?: (socket: Pick<Socket, 'bytesRead'>) => void;
}

/** One login, from the socket on. */
interface Login {
  readonly socket: Socket;
  readonly password: string;
  readonly readOnly: boolean;
  readonly countsChanged?: boolean | undefined;
  authenticated: boolean;
}

/** Opens connections to one address, gently: see {@link AddressGuard}. */
export class Connector {
  readonly endpoint: Endpoint;
  readonly #options: ConnectorOptions;
  readonly #ssl: SessionOptions['ssl'];
  readonly #guard = new AddressGuard();
  readonly #opening = new Set<Socket>();
  #closed = false;

  constructor(options: ConnectorOptions) {
    const { ssl } = options.session;
    this.#options = options;
    this.endpoint = options.endpoint;
    // A copy, for mysql2 writes into it.
    this.#ssl = ssl === undefined ? undefined : ({ ...ssl } as NonNullable<SessionOptions['ssl']>);
  }

  /**
   * Opens a session and learns who its server is. Rejects with {@link Failed}, outcome `not-executed`.
   * A login in which the server is silent for `loginTimeoutMs` is given up by the caller only: it goes on in the
   * background and is closed politely when it succeeds, because servers count abandoned greetings and ban the host for
   * them. One that goes on slowly is waited for: whoever gives it up at a busy server and begins another adds to that.
   */
  async connect({ readOnly, countsChanged, deadline, onConnected }: ConnectOptions): Promise<Connection> {
    try {
      await this.#takeTurn(deadline);
      const { socket, password } = await this.#open(deadline);
      onConnected?.(socket);
      const login = { socket, password, readOnly, countsChanged, authenticated: false };
      return await this.#loginWithin(login, deadline);
    } catch (error) {
      throw new Failed({ ...classify(error), server: this.endpoint.name });
    }
  }

  /** Forgets what the address said of too many connections: somebody else may answer there now. */
  forgetRefusals(): void {
    this.#guard.forget();
  }

  /** Destroys every connection that is being opened. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#opening) socket.destroy();
  }

  async #takeTurn(deadline: Deadline): Promise<void> {
    for (;;) {
      if (this.#closed) throw new Error('the cluster is closed');
      const waitMs = this.#guard.enter();
      if (waitMs === 0) return;
      if (waitMs === undefined)
        throw new LoginTimeout(`${this.endpoint.name} accepts connections but greets nobody`);
      const mayWait = waitMs < deadline.remainingMs();
      if (!mayWait || (await deadline.sleep(Math.min(waitMs, longestTurnWaitMs))) !== undefined) {
        throw new LoginTimeout(
          `${this.endpoint.name} takes no more connections; the next try is in ${Math.ceil(waitMs)} ms`,
        );
      }
    }
  }

  /** Asks for the password first: once it is connected, the server waits for the answer to its greeting. */
  async #open(deadline: Deadline): Promise<Pick<Login, 'socket' | 'password'>> {
    const { endpoint, credentials, tcpTimeoutMs, loginTimeoutMs } = this.#options;
    try {
      const password = await askPassword(credentials.password, { limitMs: loginTimeoutMs, deadline });
      const onSocket = (socket: Socket): void => this.#track(socket);
      const onSpare = (socket: Socket): void => this.#loginSpare(socket, password);
      const socket = await dial({ endpoint, tcpTimeoutMs, deadline, onSocket, onSpare });
      return { socket, password };
    } catch (error) {
      const failure = classify(error);
      this.#guard.failed(failure.kind);
      throw new Failed(failure);
    }
  }

  #loginSpare(socket: Socket, password: string): void {
    this.#guard.enterUnasked();
    this.#login({ socket, password, readOnly: false, authenticated: false }).then(
      (spare) => spare.quit(),
      () => {
        // Nobody waits for it, and the guard has counted it.
      },
    );
  }

  #track(socket: Socket): void {
    if (this.#closed) socket.destroy();
    this.#opening.add(socket);
    socket.once('close', () => this.#opening.delete(socket));
  }

  #loginWithin(login: Login, deadline: Deadline): Promise<Connection> {
    const { loginTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      let abandoned = false;
      const abandon = (): void => {
        abandoned = true;
        release();
        // What comes after the greeting and the authentication no server counts.
        if (login.authenticated) login.socket.destroy();
        reject(new LoginTimeout(`${this.endpoint.name} did not finish the login in time`));
      };
      let looks = 0;
      let silentLooks = 0;
      let heard = login.socket.bytesRead;
      // Looks are counted instead of time: when the process stood still, what has arrived meanwhile is read first.
      const look = (): void => {
        const { bytesRead } = login.socket;
        looks += 1;
        silentLooks = bytesRead === heard ? silentLooks + 1 : 0;
        heard = bytesRead;
        if (silentLooks >= looksPerTimeout || looks >= looksPerTimeout * longestLogin) abandon();
      };
      const limit = setInterval(look, loginTimeoutMs / looksPerTimeout);
      const cancel = deadline.onInterrupt(abandon);
      const release = (): void => {
        clearInterval(limit);
        cancel();
      };
      this.#login(login).then(
        (connection) => {
          release();
          if (abandoned) connection.quit();
          else resolve(connection);
        },
        (error) => {
          release();
          reject(error);
        },
      );
    });
  }

  async #login(login: Login): Promise<Connection> {
    const { endpoint, credentials, session, role, onHostBlocked } = this.#options;
    const { socket, password, readOnly, countsChanged } = login;
    try {
      const connection = await openSession({
        socket,
        endpoint,
        user: credentials.user,
        password,
        session,
        ssl: this.#ssl,
        role,
        readOnly,
        countsChanged,
        onAuthenticated: () => {
          login.authenticated = true;
          this.#guard.succeeded();
        },
      });
      this.#opening.delete(socket);
      return connection;
    } catch (error) {
      socket.destroy();
      const failure = classify(error);
      if (!login.authenticated) this.#guard.failed(failure.kind);
      if (failure.kind === 'host-blocked') onHostBlocked(endpoint);
      throw new Failed(failure);
    }
  }
}

function classify(error: unknown): Failure {
  if (error instanceof Failed) return error.failure;
  if (error instanceof SetUpFailed) return { ...classify(error.cause), message: error.message };
  return classifyFailure(error, { vendor: undefined, phase: 'connect', sent: false, statement: 'other' });
}
