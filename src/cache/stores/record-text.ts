import type { SeenRecord } from '../store.ts';

/** Lines before the value, and lines of the value before its payload. */
const recordLines = 7;
const valueLines = 5;

/** The form of records in Redis that this version reads and writes. */
export const recordForm = '2';

/** All lines end within so many bytes, but for hundreds of marks at once, which no value stands beside. */
const longestHead = 16_384;

const lineFeed = 10;

/**
 * Reads what the scripts write: lines of ASCII, then the payload as it is. `undefined` for anything else, such as what
 * another version of the library has written.
 */
export function readRecord(raw: Buffer): SeenRecord | undefined {
  const ends = lineEnds(raw);
  const headEnd = ends[recordLines - 1];
  if (headEnd === undefined) return undefined;
  const text = raw.toString('latin1', 0, ends.at(-1));
  const line = (index: number): string =>
    text.slice(index === 0 ? 0 : (ends[index - 1] ?? 0) + 1, ends[index]);
  if (line(0) !== recordForm) return undefined;
  const record = { era: line(1), gen: line(2), isPending: line(4) !== '' };
  if (headEnd + 1 === raw.length) return { ...record, filled: undefined };
  const valueEnd = ends[recordLines + valueLines - 1];
  if (valueEnd === undefined) return undefined;
  const freshUntil = Number(line(recordLines + 3));
  const loadMs = Number(line(recordLines + 4));
  if (!Number.isFinite(freshUntil) || !Number.isFinite(loadMs)) return undefined;
  const [by, proof, proven] = [line(recordLines), line(recordLines + 1), line(recordLines + 2)];
  return {
    ...record,
    filled: { by, proof, proven, freshUntil, loadMs, payload: raw.subarray(valueEnd + 1) },
  };
}

/** Where the lines before the payload end, as far as there are any: native search is dearer for lines this short. */
function lineEnds(raw: Buffer): readonly number[] {
  const ends: number[] = [];
  const length = Math.min(raw.length, longestHead);
  for (let at = 0; at < length && ends.length < recordLines + valueLines; at += 1) {
    if (raw[at] === lineFeed) ends.push(at);
  }
  return ends;
}
