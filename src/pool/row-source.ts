import type { EventEmitter } from 'node:events';
import type { FieldPacket, Connection as RawConnection, ResultSetHeader } from 'mysql2';
import type { TypeConfig } from '../rows/column-types.ts';
import { type RowDecoder, rowDecoder } from '../rows/decode.ts';
import type { Command } from './command.ts';

/** Rows that arrive one by one. */
export interface RowSource {
  /** Stops reading from the socket: the server stops sending once the buffers between are full. */
  pause(): void;
  resume(): void;
  /** Whether the statement was written to the socket. */
  wasSent(): boolean;
}

export interface RowListener {
  onRow(row: Record<string, unknown>): void;
  /** The OK of a statement without rows. */
  onHeader(header: ResultSetHeader): void;
  /** Called once; `error` is what mysql2 reported. */
  onEnd(error: unknown): void;
}

export interface RowSourceOptions {
  readonly raw: RawConnection;
  readonly command: Command;
  readonly types: TypeConfig;
}

/** Sends a statement and passes on its rows as they arrive, decoded as whole results are. */
export function openRowSource(options: RowSourceOptions, listener: RowListener): RowSource {
  const { raw, command, types } = options;
  const { values, json, driver } = command;
  const query = (values === undefined
    ? raw.query({ ...driver?.query, sql: command.text })
    : raw.execute({
        ...driver?.query,
        sql: command.text,
        values: values as never,
      })) as unknown as EventEmitter & {
    readonly next: unknown;
  };
  const protocol = values === undefined ? 'text' : 'prepared';

  let hasRows = false;
  let decode: RowDecoder | undefined;
  let rowIndex = 0;
  let failure: unknown;
  query.on('fields', (fields: readonly FieldPacket[] | undefined) => {
    hasRows = fields !== undefined;
    const isDecoded = fields !== undefined && driver === undefined;
    decode = isDecoded ? rowDecoder(fields, { types, protocol, json }) : undefined;
  });
  query.on('result', (row: Record<string, unknown>) => {
    if (failure !== undefined) return;
    if (!hasRows) {
      listener.onHeader(row as unknown as ResultSetHeader);
      return;
    }
    try {
      decode?.(row, rowIndex++);
    } catch (error) {
      failure = error;
      return;
    }
    listener.onRow(row);
  });
  query.on('error', (error: unknown) => {
    failure = error;
  });
  query.on('end', () => listener.onEnd(failure));
  return {
    pause: () => raw.pause(),
    resume: () => raw.resume(),
    wasSent: () => query.next !== null,
  };
}
