import type { QueryResult } from 'kysely';
import type { CallOptions } from '../../config/call-options.ts';
import type { ReplicaHandle } from '../../handles/replica-handle.ts';
import type { RowStream } from '../../handles/row-stream.ts';
import type { CallResult, RowWriter } from '../../handles/row-writer.ts';
import type { SqlParams } from '../../sql/value.ts';

/** What a statement runs on. */
export interface Place {
  run(text: string, values: SqlParams, options: CallOptions): Promise<QueryResult<object>>;
  stream(text: string, values: SqlParams, options: CallOptions): RowStream<object>;
}

interface Writer extends Pick<RowWriter<object>, 'call'> {
  stream(text: string, values: SqlParams, options: CallOptions): RowStream<object>;
}

/** Where anything may run. */
export function writerPlace(writer: Writer): Place {
  return {
    run: async (text, values, options) => resultOf(await writer.call(text, values, options)),
    stream: (text, values, options) => writer.stream(text, values, options),
  };
}

/** Where only reads may. */
export function readerPlace(reader: Pick<ReplicaHandle, 'query' | 'stream'>): Place {
  return {
    run: async (text, values, options) => ({ rows: await reader.query(text, values, options) }),
    stream: (text, values, options) => reader.stream(text, values, options),
  };
}

/** Of a procedure, its first result set. */
function resultOf({ sets, affectedRows, changedRows, insertIdBig }: CallResult<object>): QueryResult<object> {
  const [rows] = sets;
  if (rows !== undefined) return { rows };
  return {
    rows: [],
    numAffectedRows: BigInt(affectedRows),
    numChangedRows: BigInt(changedRows),
    ...(insertIdBig !== 0n && { insertId: insertIdBig }),
  };
}
