import type { CacheRecord } from '../record.ts';
import type { Filled, SeenRecord } from '../store.ts';

/** Lines before the value, and lines of the value before its payload. */
const recordLines = 7;
const valueLines = 5;

/** The form of records in Redis and memcached that this version reads and writes. */
export const recordForm = '2';

/** All lines end within so many bytes, nearly always; and in any case, but for hundreds of marks at once, which no value stands beside. */
const usualHead = 1_024;
const longestHead = 16_384;

/** A record in this form: lines of ASCII, then the payload as it is. The scripts of the Redis store write the same. */
export function writeRecord({ era, gen, fence, marks, lease, filled }: CacheRecord): Buffer {
  const lines = [
    recordForm,
    era,
    gen,
    fence,
    [...marks].map(([id, expiresAt]) => `${id}@${Math.ceil(expiresAt)},`).join(''),
    lease?.id ?? '',
    Math.ceil(lease?.until ?? 0),
  ];
  if (filled === undefined) return Buffer.from(`${lines.join('\n')}\n`, 'latin1');
  const { by, proof, proven, freshUntil, loadMs, payload } = filled;
  lines.push(by, proof, proven, Math.ceil(freshUntil), loadMs);
  return Buffer.concat([Buffer.from(`${lines.join('\n')}\n`, 'latin1'), payload]);
}

/** What a reader sees of a record. `undefined` for anything else, such as what another version of the library has written. */
export function readRecord(raw: Buffer): SeenRecord | undefined {
  return readWithin(raw, usualHead) ?? (raw.length > usualHead ? readWithin(raw, longestHead) : undefined);
}

/** The whole of a record, also with hundreds of marks. `undefined` for anything else. */
export function readWholeRecord(raw: Buffer): CacheRecord | undefined {
  const seen = readRecord(raw) ?? readWithin(raw, raw.length);
  if (seen === undefined) return undefined;
  const { era, gen, filled } = seen;
  const lines = raw.toString('latin1', 0, raw.length - (filled?.payload.length ?? 0)).split('\n');
  const [, , , fence = '', marks = '', lease = '', until = ''] = lines;
  return {
    era,
    gen,
    fence,
    marks: new Map([...marks.matchAll(/([^@,]+)@(\d+),/g)].map(([, id = '', at]) => [id, Number(at)])),
    lease: lease === '' ? undefined : { id: lease, until: Number(until) },
    filled,
  };
}

function readWithin(raw: Buffer, head: number): SeenRecord | undefined {
  const text = raw.toString('latin1', 0, Math.min(raw.length, head));
  const starts = lineStarts(text);
  if (starts.length <= recordLines || line(text, starts, 0) !== recordForm) return undefined;
  const isEmpty = starts[recordLines] === raw.length;
  const filled = isEmpty ? undefined : readValue(raw, text, starts);
  if (filled === undefined && !isEmpty) return undefined;
  const isPending = line(text, starts, 4) !== '';
  return { era: line(text, starts, 1), gen: line(text, starts, 2), isPending, filled };
}

function readValue(raw: Buffer, text: string, starts: readonly number[]): Filled | undefined {
  if (starts.length <= recordLines + valueLines) return undefined;
  const freshUntil = Number(line(text, starts, recordLines + 3));
  const loadMs = Number(line(text, starts, recordLines + 4));
  if (!Number.isFinite(freshUntil) || !Number.isFinite(loadMs)) return undefined;
  return {
    by: line(text, starts, recordLines),
    proof: line(text, starts, recordLines + 1),
    proven: line(text, starts, recordLines + 2),
    freshUntil,
    loadMs,
    payload: raw.subarray(starts[recordLines + valueLines]),
  };
}

/** Where the lines before the payload begin, as far as there are any, and what comes after them. */
function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = 0; starts.length <= recordLines + valueLines; starts.push(at)) {
    at = text.indexOf('\n', at) + 1;
    if (at === 0) break;
  }
  return starts;
}

function line(text: string, starts: readonly number[], index: number): string {
  return text.slice(starts[index], (starts[index + 1] ?? 0) - 1);
}
