import type { SeenRecord } from '../store.ts';

/** Lines before the value, and lines of the value before its payload. */
const recordLines = 7;
const valueLines = 4;

/** The form of records in Redis that this version reads and writes. */
export const recordForm = '1';

/** All lines end within so many bytes, but for hundreds of marks at once, which no value stands beside. */
const longestHead = 16_384;

/**
 * Reads what the scripts write: lines of ASCII, then the payload as it is. `undefined` for anything else, such as what
 * another version of the library has written.
 */
export function readRecord(raw: Buffer): SeenRecord | undefined {
  const text = raw.toString('latin1', 0, Math.min(raw.length, longestHead));
  const head = linesOf(text, 0, recordLines);
  if (head === undefined) return undefined;
  const [form, era = '', gen = '', , marks = ''] = head.lines;
  if (form !== recordForm) return undefined;
  const record = { era, gen, isPending: marks !== '' };
  if (head.end === raw.length) return { ...record, filled: undefined };
  const value = linesOf(text, head.end, valueLines);
  if (value === undefined) return undefined;
  const [by = '', proof = '', proven = '', until = ''] = value.lines;
  const freshUntil = Number(until);
  if (!Number.isFinite(freshUntil)) return undefined;
  return { ...record, filled: { by, proof, proven, freshUntil, payload: raw.subarray(value.end) } };
}

interface Lines {
  readonly lines: readonly string[];
  /** Where the next one begins. */
  readonly end: number;
}

/** `count` lines from `start` on; `undefined` when there are fewer. */
function linesOf(text: string, start: number, count: number): Lines | undefined {
  const lines: string[] = [];
  let end = start;
  while (lines.length < count) {
    const at = text.indexOf('\n', end);
    if (at === -1) return undefined;
    lines.push(text.slice(end, at));
    end = at + 1;
  }
  return { lines, end };
}
