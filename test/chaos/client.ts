import type { Outcome } from '../../src/errors/errors.ts';
import type { LabClusterConfig } from '../../src/testing/index.ts';

/** Where a client finds the servers: through the VIP, and for clients that know no VIP the masters themselves. */
export interface ClientTarget extends LabClusterConfig {
  readonly masters: readonly string[];
}

/** What a write returns beyond success. */
export interface Acknowledgement {
  readonly epoch: number | undefined;
}

/** What a client's error says. */
export interface ClientFailure {
  readonly code: string;
  /** `unknown` where the client claims nothing. */
  readonly outcome: Outcome | 'executed';
  readonly message: string;
  readonly epoch: number | undefined;
}

export type Values = readonly (string | number)[];

export type Row = Readonly<Record<string, unknown>>;

export type Execute = (sql: string, values: Values) => Promise<Acknowledgement>;

/** A way of using the servers: vipsql, or another library put to the same test. */
export interface Client {
  /** How long an operation may take; undefined where the client promises nothing. */
  readonly deadlines: {
    readonly statementMs: number | undefined;
    readonly transactionMs: number | undefined;
  };
  /** Resolves once the client can be used. */
  ready(): Promise<void>;
  readonly execute: Execute;
  /** Runs `work` in a transaction; clients that retry may run it more than once. */
  transaction(work: (execute: Execute) => Promise<Acknowledgement>): Promise<Acknowledgement>;
  read(from: 'primary' | 'replica', sql: string, values: Values): Promise<readonly Row[]>;
  describe(error: unknown): ClientFailure;
  /** Tells of what the client found worth telling. */
  onNotice(listener: (name: string, detail: string) => void): void;
  close(): Promise<void>;
}
