import { parsePosition } from './parse-position.ts';
import { InvalidPositionError, type Position, type PositionVendor } from './position.ts';

/** The first and the last sequence number that was acknowledged, of one source. Both kinds compare with each other. */
interface Acknowledged {
  first: number | bigint;
  last: number | bigint;
}

/**
 * What this process has seen acknowledged: one stretch of sequence numbers per source, however many writes there were.
 * What other processes wrote in between is part of it: it came before the last.
 */
export class AcknowledgedPositions {
  #vendor: PositionVendor | undefined;
  readonly #sources = new Map<string, Acknowledged>();

  get isEmpty(): boolean {
    return this.#sources.size === 0;
  }

  /**
   * Adds what the answer to a write said. Returns false when that is no position. A position of another vendor begins
   * anew: the two cannot be compared.
   */
  add(vendor: PositionVendor, text: string): boolean {
    if (vendor !== this.#vendor) this.#begin(vendor);
    return this.#addNext(text, vendor === 'mysql' ? ':' : '-') || this.#addAny(vendor, text);
  }

  /** As far as it can be asked of a server of that vendor; empty for any other. */
  position(vendor: PositionVendor): Position {
    const isMySql = vendor === 'mysql';
    const sources = vendor === this.#vendor ? [...this.#sources] : [];
    return parsePosition(
      vendor,
      sources
        .map(([source, { first, last }]) => (isMySql ? `${source}:${first}-${last}` : `${source}-${last}`))
        .join(','),
    );
  }

  /** Drops the sources of `missing`: what is known to be lost is not asked for again. */
  forget(missing: Position): void {
    for (const { source } of missing.spans()) this.#sources.delete(source);
  }

  #begin(vendor: PositionVendor): void {
    this.#vendor = vendor;
    this.#sources.clear();
  }

  /** The usual case, one number of a source that is known, without taking the whole text apart. */
  #addNext(text: string, separator: string): boolean {
    const at = text.lastIndexOf(separator);
    const known = this.#sources.get(text.slice(0, at));
    const number = text.slice(at + 1);
    if (known === undefined || !/^\d{1,15}$/.test(number)) return false;
    extend(known, Number(number));
    return true;
  }

  #addAny(vendor: PositionVendor, text: string): boolean {
    try {
      for (const { source, first, last } of parsePosition(vendor, text).spans()) {
        const known = this.#sources.get(source);
        if (known === undefined) this.#sources.set(source, { first, last });
        else for (const sequence of [first, last]) extend(known, sequence);
      }
      return true;
    } catch (error) {
      if (error instanceof InvalidPositionError) return false;
      throw error;
    }
  }
}

function extend(known: Acknowledged, sequence: number | bigint): void {
  if (sequence > known.last) known.last = sequence;
  else if (sequence < known.first) known.first = sequence;
}
