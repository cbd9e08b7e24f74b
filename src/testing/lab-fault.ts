/** The name of a master. */
export type MasterName = 'a' | 'b';

/** The name of a database server: the masters are `a` and `b`, the replicas `r1`, `r2` … */
export type ServerName = MasterName | `r${number}`;

/** Anything of the lab that runs as a process and can be killed or frozen. */
export type ProcessName = ServerName | 'redis';

/**
 * What becomes of connections through the VIP when it leaves their server.
 *
 * - `reset`: the client gets a RST, as from the new holder of the address.
 * - `silent`: no FIN, no RST and no answer, as behind a firewall that dropped the flow. The client's packets are still
 *   acknowledged by the kernel (the relay only stops reading), so TCP keepalive does not notice either.
 *
 * In both cases the old master is not told, as in real life: its sessions and their locks stay until it is fenced,
 * killed or healed.
 */
export type OldConnections = 'reset' | 'silent';

/** The other master gets the VIP and is promoted, as keepalived does after a death. */
export interface Failover {
  readonly kind: 'failover';
  /** The new holder; default: the other master. */
  readonly to?: MasterName;
  /** How long the VIP answers nobody before it moves; default 500. (Real keepalived: 500–2400.) */
  readonly gapMs?: number;
  /** How long the new holder answers read-only before it is promoted; default 50. (Real: 30–200.) */
  readonly readOnlyMs?: number;
  /** Default `reset`. Connections to a killed server have ended already. */
  readonly oldConnections?: OldConnections;
}

/** The VIP moves although its old holder lives: a planned move, or keepalived losing its mind. */
export interface MoveVip {
  readonly kind: 'move-vip';
  /** The new holder; default: the other master. */
  readonly to?: MasterName;
  readonly oldConnections: OldConnections;
  /** How long the VIP answers nobody before it moves; default 0. */
  readonly gapMs?: number;
  /** How long the new holder answers read-only before it is promoted; default 50. */
  readonly readOnlyMs?: number;
  /**
   * Whether the old holder becomes read-only and loses its application sessions, as keepalived's notify script for a
   * backup does; default true. With false it stays writable for whoever reaches its own address.
   */
  readonly fence?: boolean;
}

/** One thing that goes wrong, for `lab.fault(...)`. */
export type LabFault =
  /** SIGKILL. If it holds the VIP, the VIP refuses connections until a failover, a start or `heal()`. */
  | { readonly kind: 'kill'; readonly server: ProcessName }
  /** SIGTERM, and waits for the end. */
  | { readonly kind: 'stop'; readonly server: ProcessName }
  /** Starts what was killed or stopped. It comes up read-only, unless it is a master that still holds the VIP. */
  | { readonly kind: 'start'; readonly server: ProcessName }
  /** SIGSTOP: connections stay open, the kernel acknowledges what is sent, nothing is answered. */
  | { readonly kind: 'freeze'; readonly server: ProcessName }
  /**
   * SIGCONT. What was sent meanwhile is executed now. A master that has lost the VIP is then fenced; `fence: false`
   * leaves it writable.
   */
  | { readonly kind: 'thaw'; readonly server: ProcessName; readonly fence?: boolean }
  | Failover
  | MoveVip
  /** Nobody answers at the VIP: established connections go silent, new ones hang in SYN-SENT. */
  | { readonly kind: 'black-hole' }
  /** The VIP refuses new connections; established ones are reset. */
  | { readonly kind: 'refuse' }
  /** Ends `black-hole` and `refuse`: what silent connections hold back is delivered, as after a healed partition. */
  | { readonly kind: 'answer' }
  /** Flips `read_only` (and `super_read_only` on MySQL) without moving the VIP. */
  | { readonly kind: 'read-only'; readonly server: ServerName; readonly on: boolean }
  /** Stops applying: the server receives changes and does not show them. */
  | { readonly kind: 'stop-applier'; readonly server: ServerName }
  | { readonly kind: 'start-applier'; readonly server: ServerName }
  /** Stops receiving: on a standby master this keeps the primary's commits waiting (semi-synchronous replication). */
  | { readonly kind: 'stop-receiver'; readonly server: ServerName }
  | { readonly kind: 'start-receiver'; readonly server: ServerName };
