import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StartedTestContainer } from 'testcontainers';
import { accounts } from '../../src/testing/accounts.ts';
import { AdminSession } from '../../src/testing/admin-session.ts';
import type { Askable } from '../../src/testing/askable.ts';
import type { LabServer, ServerName } from '../../src/testing/index.ts';
import { LabError } from '../../src/testing/lab-error.ts';
import type { AdminQuery } from '../../src/testing/vendors/vendor.ts';
import { ContainerProgram } from './container-program.ts';

const startTimeoutMs = 60_000;
const restartMs = 2_000;
const ownTimeoutMs = 5_000;
const publicTimeoutMs = 30_000;
const attempts = 4;
const pauseMs = 50;

/** Where a database server runs and how it is started. */
export interface DatabaseNodeSpec {
  readonly name: ServerName;
  readonly container: StartedTestContainer;
  readonly host: string;
  /** The hardware address of its interface. */
  readonly hardwareAddress: string;
  /** The folder of this host that the container sees as `/run/mysqld` and `/var/log/lab`. */
  readonly folder: string;
  readonly command: readonly string[];
}

/** A database server in a container, and the lab's sessions with it, which need no network: they use its socket. */
export class DatabaseNode implements LabServer, Askable {
  readonly name: ServerName;
  readonly host: string;
  readonly port = 3306;
  readonly address: string;
  readonly hardwareAddress: string;
  readonly logFile: string;
  readonly container: StartedTestContainer;
  readonly program: ContainerProgram;
  /** Whether its link is up and its firewall open, as far as faults have changed that. */
  isReachable = true;
  readonly #own: AdminSession;
  readonly #public: AdminSession;

  constructor({ name, container, host, hardwareAddress, folder, command }: DatabaseNodeSpec) {
    this.name = name;
    this.host = host;
    this.address = `${host}:${this.port}`;
    this.hardwareAddress = hardwareAddress;
    this.logFile = join(folder, 'log', 'mysqld.log');
    this.container = container;
    this.program = new ContainerProgram(container, 'mysqld', command);
    const socket = join(folder, 'run', 'mysqld.sock');
    this.#own = new AdminSession(socket, accounts.admin, ownTimeoutMs);
    this.#public = new AdminSession(socket, accounts.admin, publicTimeoutMs);
  }

  /** In its container. */
  get pid(): number | undefined {
    return this.program.pid;
  }

  get answers(): boolean {
    return this.program.state === 'alive';
  }

  async query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]> {
    return (await again(this.#public, (session) => session.query(sql, values))) as Row[];
  }

  readonly ask: AdminQuery = (sql, values) => again(this.#own, (session) => session.query(sql, values));

  async askAll(statements: readonly string[]): Promise<void> {
    for (const statement of statements) await this.ask(statement);
  }

  /** Whether it accepts writes. */
  async isWritable(): Promise<boolean> {
    if (!this.answers) return false;
    const [row] = await this.ask('SELECT @@GLOBAL.read_only AS readOnly');
    return row?.readOnly === 0;
  }

  /** Starts the server, as its configuration file says, and waits until it answers. */
  async start(): Promise<void> {
    const deadline = Date.now() + startTimeoutMs;
    let startedAt = Number.NEGATIVE_INFINITY;
    for (;;) {
      // Again, because one that is about to end by itself still looks alive.
      if (Date.now() - startedAt > restartMs) {
        await this.program.start();
        startedAt = Date.now();
      }
      try {
        await this.ask('SELECT 1');
        return;
      } catch (error) {
        if (Date.now() > deadline) {
          throw new LabError(`server ${this.name} did not answer within ${startTimeoutMs} ms: ${error}`);
        }
        await sleep(20);
      }
    }
  }

  async closeSessions(): Promise<void> {
    await Promise.all([this.#own.close(), this.#public.close()]);
  }
}

/** keepalived's scripts end the sessions of every administrator, the lab's too, and more than once. */
async function again<T>(session: AdminSession, query: (session: AdminSession) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await query(session);
    } catch (error) {
      if ((error as { readonly fatal?: boolean }).fatal !== true || attempt === attempts) throw error;
      await session.close();
      await sleep(pauseMs);
    }
  }
}
