import type { Outcome } from '../../src/errors/errors.ts';
import type { LabClusterConfig } from '../../src/testing/index.ts';

/** Where a client finds the servers: through the VIP, and for clients that know no VIP the masters themselves. */
export interface ClientTarget extends LabClusterConfig {
  readonly masters: readonly string[];
}

/** What a write returns beyond success. */
export interface Acknowledgement {
  readonly epoch: number | undefined;
  /** The call that had done the transaction of this key before; this one has done nothing. */
  readonly doneBy?: string;
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

/** What is done in a transaction; clients that retry may run it more than once. */
export type Work = (execute: Execute) => Promise<Acknowledgement>;

/** Transactions that a client promises to do once, whatever becomes of their COMMIT. */
export interface ExactlyOnce {
  transaction(work: Work): Promise<Acknowledgement>;
  /** With a key for all calls that ask for the same; `id` is that of the call. */
  keyed(call: { readonly key: string; readonly id: string }, work: Work): Promise<Acknowledgement>;
}

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
  transaction(work: Work): Promise<Acknowledgement>;
  /** Absent where the client promises nothing of the kind. */
  readonly exactlyOnce?: ExactlyOnce;
  read(from: 'primary' | 'replica', sql: string, values: Values): Promise<readonly Row[]>;
  describe(error: unknown): ClientFailure;
  /** Tells of what the client found worth telling. */
  onNotice(listener: (name: string, detail: string) => void): void;
  close(): Promise<void>;
}
