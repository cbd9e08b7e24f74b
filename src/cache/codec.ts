import { promisify } from 'node:util';
import { deflateRaw, inflateRawSync } from 'node:zlib';
import { Packr } from 'msgpackr';
import { negativeZeros, type Path } from './exact-values.ts';

/** A payload makes no sense: damaged, or of another version. */
export class CorruptPayload extends Error {
  override readonly name = 'CorruptPayload';
}

/** The first byte of a payload. */
const form = { plain: 1, deflated: 2 } as const;

/** A value that unpacks to more than this is not cached, in bytes: nobody waits for it to be inflated. */
const longestPacked = 64 * 1024 * 1024;

const packr = new Packr({
  useRecords: true,
  mapsAsObjects: true,
  copyBuffers: true,
  useBigIntExtension: true,
  moreTypes: false,
});

const deflate = promisify(deflateRaw);

/** Packs a value so that {@link unpack} gives it back exactly; `undefined` when that cannot be. */
export function pack(value: unknown): Buffer | undefined {
  try {
    const zeros = negativeZeros(value);
    if (zeros === undefined) return undefined;
    const packed = packr.pack(zeros.length === 0 ? [value] : [value, zeros]);
    return packed.length > longestPacked ? undefined : packed;
  } catch {
    // Too large for a Buffer, or a property that throws when it is read.
    return undefined;
  }
}

/** @throws {CorruptPayload} */
export function unpack(packed: Buffer): unknown {
  const holder = guarded(() => packr.unpack(packed));
  if (!Array.isArray(holder) || holder.length < 1 || holder.length > 2) throw new CorruptPayload('no value');
  if (holder.length === 2) for (const path of pathsIn(holder[1])) restoreZero(holder, path);
  return holder[0];
}

/** As it is stored: with a byte that says how, and made smaller from `compressBytes` on (0: never). */
export async function seal(packed: Buffer, compressBytes: number): Promise<Buffer> {
  if (compressBytes > 0 && packed.length >= compressBytes) {
    const deflated = await deflate(packed, { level: 1 });
    if (deflated.length < packed.length) return Buffer.concat([Buffer.of(form.deflated), deflated]);
  }
  return Buffer.concat([Buffer.of(form.plain), packed]);
}

/** @throws {CorruptPayload} */
export function unseal(payload: Buffer): Buffer {
  const body = payload.subarray(1);
  if (payload[0] === form.plain) return body;
  if (payload[0] !== form.deflated) throw new CorruptPayload('a form that is not known');
  return guarded(() => inflateRawSync(body, { maxOutputLength: longestPacked }));
}

function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new CorruptPayload('it cannot be read', { cause });
  }
}

function pathsIn(value: unknown): readonly Path[] {
  const isPath = (path: unknown): path is Path =>
    Array.isArray(path) && path.every((key) => typeof key === 'string' || typeof key === 'number');
  if (!Array.isArray(value) || !value.every(isPath)) throw new CorruptPayload('no list of paths');
  return value;
}

/** Follows own properties only, and replaces nothing but a zero. */
function restoreZero(holder: unknown[], path: Path): void {
  let parent: unknown = holder;
  let key: string | number = 0;
  for (const next of path) {
    parent = ownValue(parent, key);
    key = next;
  }
  if (ownValue(parent, key) !== 0) throw new CorruptPayload('no zero where one was');
  (parent as Record<string | number, unknown>)[key] = -0;
}

function ownValue(parent: unknown, key: string | number): unknown {
  if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, key)) {
    throw new CorruptPayload('a path that leads nowhere');
  }
  return (parent as Record<string | number, unknown>)[key];
}
