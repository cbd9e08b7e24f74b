import type { SeenRecord } from '../store.ts';

const newline = 0x0a;

/** Lines before the value, and lines of the value before its payload. */
const recordLines = 7;
const valueLines = 4;

/** The form of records in Redis that this version reads and writes. */
export const recordForm = '1';

/**
 * Reads what the scripts write: lines of ASCII, then the payload as it is. `undefined` for anything else, such as what
 * another version of the library has written.
 */
export function readRecord(raw: Buffer): SeenRecord | undefined {
  const head = linesOf(raw, 0, recordLines);
  if (head === undefined) return undefined;
  const [form, era = '', gen = '', , marks = ''] = head.lines;
  if (form !== recordForm) return undefined;
  const record = { era, gen, isPending: marks !== '' };
  if (head.end === raw.length) return { ...record, filled: undefined };
  const value = linesOf(raw, head.end, valueLines);
  if (value === undefined) return undefined;
  const [by = '', proof = '', proven = '', until = ''] = value.lines;
  const freshUntil = Number(until);
  if (!Number.isFinite(freshUntil)) return undefined;
  return { ...record, filled: { by, proof, proven, freshUntil, payload: raw.subarray(value.end) } };
}

/** `count` lines from `start` on, and where the next one begins; `undefined` when there are fewer. */
function linesOf(
  raw: Buffer,
  start: number,
  count: number,
): { readonly lines: readonly string[]; readonly end: number } | undefined {
  const lines: string[] = [];
  let from = start;
  while (lines.length < count) {
    const end = raw.indexOf(newline, from);
    if (end === -1) return undefined;
    lines.push(raw.toString('latin1', from, end));
    from = end + 1;
  }
  return { lines, end: from };
}
