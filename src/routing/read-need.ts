import type { Floor, SeenServer } from '../consistency/floor.ts';
import type { Position } from '../consistency/position.ts';

/** What one read must see, and who is told what it has seen. */
export interface ReadNeed {
  /** As it stood when the read began. */
  readonly floor: Floor;
  /** The server to stay with where that will do, by its key. */
  readonly home: string | undefined;
  /** A server was chosen: others that read for the same session now had better go there too. */
  choseHome(key: string): void;
  /** The read is over. It was answered by a replica. */
  sawReplica(server: SeenServer): void;
  /** It was answered by the primary. */
  sawPrimary(at: number): void;
  /** It was answered by a server that is not known to be met again, which had this at most; `undefined`: unknown. */
  sawPosition(position: Position | undefined): void;
  /** A part of the floor is not on the primary: nobody will ever have it. */
  lost(position: Position): void;
}
