import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AdminSession } from './admin-session.ts';
import type { Askable } from './askable.ts';
import type { LabAccount, LabAddress, LabServer } from './lab.ts';
import type { ServerName } from './lab-fault.ts';
import type { Keeper } from './processes/keeper.ts';
import { LabProcess } from './processes/lab-process.ts';
import type { AdminQuery } from './vendors/vendor.ts';

const startTimeoutMs = 60_000;
const ownTimeoutMs = 5_000;
const publicTimeoutMs = 30_000;

/** What a node needs to exist. */
export interface LabNodeSpec {
  readonly name: ServerName;
  readonly address: LabAddress;
  readonly folder: string;
  readonly dataFolder: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>> | undefined;
  readonly socket: string;
  readonly admin: LabAccount;
}

/** A database server of the lab: its process and the lab's sessions with it. */
export class LabNode implements LabServer, Askable {
  readonly name: ServerName;
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly dataFolder: string;
  readonly logFile: string;
  readonly process: LabProcess;
  readonly #own: AdminSession;
  readonly #public: AdminSession;

  constructor(spec: LabNodeSpec, keeper: Keeper, onEnd: () => void) {
    this.name = spec.name;
    this.host = spec.address.host;
    this.port = spec.address.port;
    this.address = `${this.host}:${this.port}`;
    this.dataFolder = spec.dataFolder;
    this.logFile = join(spec.folder, 'error.log');
    const { name, command, args, env, folder } = spec;
    this.process = new LabProcess(
      {
        name: `server ${name}`,
        command,
        args,
        folder,
        logFile: this.logFile,
        ...(env === undefined ? {} : { env }),
      },
      keeper,
      onEnd,
    );
    this.#own = new AdminSession(spec.socket, spec.admin, ownTimeoutMs);
    this.#public = new AdminSession(spec.socket, spec.admin, publicTimeoutMs);
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Whether the server can be asked anything. */
  get answers(): boolean {
    return this.process.state === 'alive';
  }

  async query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]> {
    return (await this.#public.query(sql, values)) as Row[];
  }

  /** The lab's own questions, which must not wait behind a user's. */
  readonly ask: AdminQuery = (sql, values) => this.#own.query(sql, values);

  async askAll(statements: readonly string[]): Promise<void> {
    for (const statement of statements) await this.ask(statement);
  }

  /** Starts the server and waits until it answers. */
  async start(): Promise<void> {
    this.process.start();
    const deadline = Date.now() + startTimeoutMs;
    for (;;) {
      try {
        await this.ask('SELECT 1');
        return;
      } catch {
        if (this.process.state === 'dead') throw this.process.failure('ended while starting');
        if (Date.now() > deadline) throw this.process.failure(`did not answer within ${startTimeoutMs} ms`);
        await sleep(5);
      }
    }
  }

  async closeSessions(): Promise<void> {
    await Promise.all([this.#own.close(), this.#public.close()]);
  }
}
