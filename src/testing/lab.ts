import type { LabFault, MasterName, ServerName } from './lab-fault.ts';

/** Which database the lab runs. */
export type LabVendor = 'mariadb' | 'mysql';

/** What `startLab` may be told. */
export interface LabOptions {
  /** Default: what is found on the machine, MariaDB first. */
  readonly vendor?: LabVendor;
  /** How many replicas; default 2. */
  readonly replicas?: number;
  /** Whether Redis runs too; default true. */
  readonly redis?: boolean;
  /**
   * Semi-synchronous replication (AFTER_SYNC) between the masters; default true, with a time-out of an hour, so that
   * it never degrades silently: while the standby is down, commits on the primary wait. Give `timeoutMs` to let it
   * degrade, or false for asynchronous replication. A master that is promoted while the other one is dead does not
   * wait: promotion leaves semi-sync off until the other one replicates again.
   */
  readonly semiSync?: boolean | { readonly timeoutMs: number };
  /** Programs to use instead of those found. */
  readonly binaries?: { readonly mysqld?: string; readonly redis?: string };
  /** More command-line options for every database server, such as `--max-connections=20`; they win over the lab's. */
  readonly serverOptions?: readonly string[];
  /** Called with each line of progress; default: stderr when it is a terminal or packages have to be fetched. */
  readonly onProgress?: (line: string) => void;
}

/** A host and a port. */
export interface LabAddress {
  readonly host: string;
  readonly port: number;
}

/** A user and a password. */
export interface LabAccount {
  readonly user: string;
  readonly password: string;
}

/** One database server of the lab. */
export interface LabServer extends LabAddress {
  readonly name: ServerName;
  /** `host:port` */
  readonly address: string;
  /** The process id of this life of the server; undefined while it is dead. */
  readonly pid: number | undefined;
  /** The server's error log. */
  readonly logFile: string;
  /**
   * Runs SQL as administrator on a session of its own (a Unix socket, one session per life of the server), also when
   * the server is read-only or full. Rejects after 30 s without an answer. Statements without rows give `[]`.
   */
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** What `createCluster` needs to know of a lab. */
export interface LabClusterConfig extends LabAccount {
  readonly primary: string;
  readonly replicas: string[];
  readonly database: string;
}

/** Two masters in circular replication behind a movable address, their replicas and Redis, all on loopback. */
export interface Lab extends AsyncDisposable {
  readonly vendor: LabVendor;
  /** The version of the database server, such as `10.11.19-MariaDB`. */
  readonly version: string;
  /** The stand-in for keepalived's virtual IP: a relay to the master that holds it. */
  readonly vip: LabAddress;
  readonly masters: readonly [LabServer, LabServer];
  readonly replicas: readonly LabServer[];
  readonly redisUrl?: string;
  /** An ordinary application account: everything in `database`, and what it takes to look at replication. */
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** An account that may do everything and that `read_only` does not stop (on MySQL `super_read_only` does). */
  readonly admin: LabAccount;
  /** Address and account for `createCluster({ ...lab.config() })`. */
  config(): LabClusterConfig;
  /** The master that holds the VIP. */
  owner(): LabServer;
  /** The server of that name. */
  server(name: ServerName): LabServer;
  /** The master of that name. */
  master(name: MasterName): LabServer;
  /** Breaks something; resolves when it is broken. Faults run one after another. */
  fault(fault: LabFault): Promise<void>;
  /**
   * Starts the dead, thaws the frozen, opens the VIP, makes its holder the only writable server and restarts
   * replication; resolves when every server has every change of the holder. A server that holds what the holder lacks,
   * such as a dead master's unacknowledged commits, is made anew. Rejects with what is wrong where after 30 s.
   */
  heal(): Promise<void>;
  /** Kills every process and removes the folder. Safe to call twice. */
  stop(): Promise<void>;
}
