import type { Position } from '../consistency/position.ts';
import type { ReplicaServer } from '../topology/replica-server.ts';
import type { ReadTarget } from './read-target.ts';

/** Where a read goes that must see something. */
export interface Place {
  readonly target: ReadTarget;
  /** The server that is known to do; `undefined` where that is found out on the connection, and for the primary. */
  readonly server: ReplicaServer | undefined;
  /** What is to be found out there. */
  readonly required: Position | undefined;
}
