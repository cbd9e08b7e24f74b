import type { LabFault, MasterName, ServerName } from '../../src/testing/index.ts';

/**
 * One thing that goes wrong in a container lab: what the embedded lab knows, with real consequences, and what only real
 * machines have. Each resolves when the fault is in force, not when keepalived has answered it; see
 * {@link ContainerLab.waitForOwner} for that.
 *
 * What the kinds of the embedded lab mean here:
 *
 * - `kill`, `stop`, `freeze`, `thaw`, `start` act on mysqld (or Redis); the container, its keepalived and its address
 *   stay. `start` brings the server back as its configuration file says: read-only, replicating.
 * - `failover` waits until keepalived has moved the VIP away from a master that was broken before, and the other one
 *   accepts writes. keepalived decides how long that takes: `gapMs`, `readOnlyMs` and `oldConnections` are refused.
 * - `move-vip` stops keepalived on the holder, waits until the other master accepts writes, and starts it again.
 * - `black-hole` and `refuse` drop and reject what comes to the VIP, at its holder's firewall; `answer` ends both.
 */
export type ContainerFault =
  | LabFault
  /** SIGTERM to keepalived, and waits for its end: the VIP is given up with an advert of priority 0. */
  | { readonly kind: 'stop-keepalived'; readonly server: MasterName }
  /** SIGKILL to parent and child at once: nobody removes the address. With the other master's there are two owners. */
  | { readonly kind: 'kill-keepalived'; readonly server: MasterName }
  /** The node takes part again, as a backup; an address that was left behind is given up. */
  | { readonly kind: 'start-keepalived'; readonly server: MasterName }
  /** The cable is pulled at the host's side: no packet, no RST, and keepalived sees its link go. */
  | { readonly kind: 'link-down'; readonly server: ServerName }
  | { readonly kind: 'link-up'; readonly server: ServerName }
  /** Every packet from and to a port 3306 is dropped in the container, in both directions; keepalived's adverts pass. */
  | { readonly kind: 'drop-3306'; readonly server: ServerName }
  | { readonly kind: 'pass-3306'; readonly server: ServerName };
