import type { Lab, LabServer, LabVendor, MasterName } from '../../src/testing/index.ts';
import type { ContainerFault } from './container-fault.ts';
import type { VipProber } from './vip-prober.ts';

/** What `startContainerLab` may be told. */
export interface ContainerLabOptions {
  readonly vendor: LabVendor;
  /** How many replicas; default 2. */
  readonly replicas?: number;
  /** Whether Redis runs too; default true. */
  readonly redis?: boolean;
  /**
   * Semi-synchronous replication (AFTER_SYNC) between the masters with a time-out of an hour; default true. `false` is
   * plain asynchronous replication.
   */
  readonly semiSync?: boolean;
  /** More command-line options for every database server; they win over the lab's. */
  readonly serverOptions?: readonly string[];
  /**
   * `true` leaves `skip_name_resolve` off and `max_connect_errors` at its default, so that servers count failed
   * handshakes and ban hosts; default false.
   */
  readonly nameResolve?: boolean;
  /** Called with each line of progress. */
  readonly onProgress?: (line: string) => void;
}

/**
 * Two masters with keepalived, replicas and Redis, each a container with an address of its own on a private network.
 * This process reaches them over the bridge, as a host of its own.
 */
export interface ContainerLab extends Lab {
  /** The master that now answers for the VIP on the network: with two owners, the one that this host reaches. */
  owner(): LabServer;
  /** Every master that holds the VIP on its interface: none, one, or two. */
  holders(): Promise<MasterName[]>;
  /**
   * Resolves when that master (default: any) answers at the VIP and accepts writes; rejects after `timeoutMs`
   * (default 15 s) with what answered there.
   */
  waitForOwner(name?: MasterName, timeoutMs?: number): Promise<LabServer>;
  fault(fault: ContainerFault): Promise<void>;
  /** Logs in at the VIP every 20 ms, in a process and from addresses of its own, until its `stop` or the lab's. */
  startProber(): Promise<VipProber>;
  /** Everything that keepalived and its scripts have logged on that master. */
  keepalivedLog(name: MasterName): Promise<string>;
}
