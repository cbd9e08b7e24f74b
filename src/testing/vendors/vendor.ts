import type { ServerBinary } from '../binaries/server-binary.ts';
import type { LabAccount, LabAddress, LabVendor } from '../lab.ts';
import type { Keeper } from '../processes/keeper.ts';

/** Runs SQL on one server as administrator. */
export type AdminQuery = (sql: string, values?: readonly unknown[]) => Promise<Record<string, unknown>[]>;

/** The accounts every server of a lab is created with. */
export interface LabAccounts {
  readonly admin: LabAccount;
  readonly replication: LabAccount;
  readonly application: LabAccount;
  readonly database: string;
}

/** What a server's command line depends on. */
export interface ServerSpec extends LabAddress {
  readonly serverId: number;
  readonly dataFolder: string;
  readonly socket: string;
  readonly autoIncrement?: { readonly increment: number; readonly offset: number };
}

/** What a new data folder is made with. */
export interface InitialiseFrom {
  readonly binary: ServerBinary;
  readonly accounts: LabAccounts;
  readonly keeper: Keeper;
}

/** The thread that fetches changes, the one that applies them, or both. */
export type ReplicationThread = 'receiver' | 'applier' | 'both';

/** How a server's replication stands. */
export interface ReplicationStatus {
  readonly receiving: boolean;
  readonly applying: boolean;
  /** What has been fetched, applied or not; as {@link Vendor.holds} takes it. */
  readonly received: string;
  readonly error: string;
}

/** All that differs between MariaDB and MySQL. */
export interface Vendor {
  readonly name: LabVendor;
  /** Changes when a data folder made by an older version of this code must not be used again. */
  readonly templateVersion: number;
  /** Creates a data folder with the accounts in it. */
  initialise(dataFolder: string, from: InitialiseFrom): Promise<void>;
  /** The statements that create the accounts and the application's schema on a server that has none of them. */
  accountSql(accounts: LabAccounts): string[];
  serverArgs(binary: ServerBinary, spec: ServerSpec): string[];
  /** The options that keep a server small and quick and its data folder safe from `kill -9`. */
  readonly smallArgs: readonly string[];

  readOnly(on: boolean): string;
  replicateFrom(source: LabAddress, account: LabAccount): string;
  startReplication(thread: ReplicationThread): string;
  stopReplication(thread: ReplicationThread): string;
  replicationStatus(query: AdminQuery): Promise<ReplicationStatus>;

  /** Everything the server has committed or applied. */
  position(query: AdminQuery): Promise<string>;
  /** Whether the server has committed or applied everything up to a position. */
  holds(query: AdminQuery, position: string): Promise<boolean>;
  /** Makes a server whose replication is stopped follow nobody and drop what it has received and not applied. */
  readonly forgetSource: string;
  /** Statements after which a server that follows nobody will fetch what comes after its own data. */
  readonly continueFromData: readonly string[];

  /** Statements that let the server acknowledge what it receives. */
  readonly enableAcknowledging: readonly string[];
  /** Statements that let commits wait for an acknowledgement. */
  waitForAcknowledgement(timeoutMs: number): string[];
  readonly stopWaiting: readonly string[];
  /** Whether commits wait, and for how many connected servers. */
  semiSyncStatus(query: AdminQuery): Promise<{ readonly waiting: boolean; readonly acknowledgers: number }>;
}
