import type { ResultSetHeader } from 'mysql2';
import type { Command } from './command.ts';

/** Told what the answers on a connection say about positions, before whoever waits for the answer is. */
export interface PositionListener {
  /** The server has committed at this position, in the notation of its vendor. Must not throw. */
  onPosition(position: string): void;
  /** The server has committed changes and not said where. Must not throw. */
  onCommitWithoutPosition(): void;
}

/** An OK as mysql2 reads it; its types leave out what the session tracker adds. */
interface Ok extends ResultSetHeader {
  readonly stateChanges?: {
    readonly gtids: readonly string[];
    readonly systemVariables: { readonly last_gtid?: string };
  };
}

const noBackslashEscapesFlag = 0x200;
const inTransactionFlag = 0x1;

/** What the last OK said about a session. */
export class SessionStatus {
  inTransaction = false;
  noBackslashEscapes = false;
  positions: PositionListener | undefined;
  /** The last OK was the end of changes, and did not tell their position. */
  isUnplaced = false;
  /** The open transaction has changed something. */
  #wroteInTransaction = false;

  /** Takes note of an OK. Returns the position at which something was committed, if the server has told. */
  note(ok: ResultSetHeader, { phase }: Command): string | undefined {
    const { serverStatus } = ok;
    this.inTransaction = (serverStatus & inTransactionFlag) !== 0;
    this.noBackslashEscapes = (serverStatus & noBackslashEscapesFlag) !== 0;
    const position = positionOf(ok);
    this.isUnplaced = false;
    if (position !== undefined) this.positions?.onPosition(position);
    else if (this.inTransaction) this.#wroteInTransaction ||= hasChangedRows(ok);
    else if (hasChangedRows(ok) || (this.#wroteInTransaction && phase === 'commit')) {
      this.isUnplaced = true;
      this.positions?.onCommitWithoutPosition();
    }
    if (!this.inTransaction) this.#wroteInTransaction = false;
    return position;
  }
}

function positionOf({ stateChanges }: Ok): string | undefined {
  if (stateChanges === undefined) return undefined;
  const { gtids, systemVariables } = stateChanges;
  const position = gtids.length === 0 ? systemVariables.last_gtid : gtids.join(',');
  return position === '' ? undefined : position;
}

/** An UPDATE counts the rows that it found and left as they were as well. */
function hasChangedRows({ affectedRows, changedRows, info }: ResultSetHeader): boolean {
  return affectedRows > 0 && (changedRows > 0 || !info.startsWith('Rows matched'));
}
