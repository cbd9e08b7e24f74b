import type { FieldPacket } from 'mysql2';
import type { TypeConfig } from '../rows/column-types.ts';
import { type DecodeOptions, type RowDecoder, rowDecoder } from '../rows/decode.ts';
import { type Command, isFieldLists, type RawFields, type RawRows } from './command.ts';

/** Gives the rows of an answer, of each of its sets, the values that the configuration promises. One per connection. */
export class AnswerDecoder {
  readonly #types: TypeConfig;
  readonly #decoders: (RowDecoder | undefined)[] = [];
  #options: DecodeOptions;

  constructor(types: TypeConfig) {
    this.#types = types;
    this.#options = { types, protocol: 'text' };
  }

  /** To be called before a statement is sent. */
  begin({ values, json, driver }: Command): void {
    if (this.#decoders.length > 0) this.#decoders.length = 0;
    if (driver !== undefined) return;
    this.#options = { types: this.#types, protocol: values === undefined ? 'text' : 'prepared', json };
  }

  /** For mysql2's `fields` event: its row reader is built right after it, and reads what the decoder asks for. */
  readonly onFields = (fields: readonly FieldPacket[] | undefined): void => {
    this.#decoders.push(fields === undefined ? undefined : rowDecoder(fields, this.#options));
  };

  /** In place. Throws RowSchemaError when a column that was asked for as JSON is none. */
  decode(rows: RawRows, fields: RawFields): void {
    if (!Array.isArray(rows) || fields === undefined) return;
    const sets = isFieldLists(fields) ? rows : [rows];
    this.#decoders.forEach((decode, index) => {
      const set = sets[index];
      if (decode !== undefined && Array.isArray(set)) (set as Record<string, unknown>[]).forEach(decode);
    });
  }
}
