/** One answer of memcached. */
export interface MemcachedReply {
  /** The first word of its line: `VA`, `HD`, `EN`, `EX`, `NF`, `NS`, `STAT`, `END`, or one of the words for errors. */
  readonly code: string;
  /** What stands behind that word. */
  readonly rest: string;
  /** Of `VA`: as many bytes as its line says. */
  readonly value: Buffer | undefined;
}

const longestLine = 8_192;

/** What comes from memcached, cut into answers. Values that come in many pieces are put together once. */
export class ReplyReader {
  readonly #pieces: Buffer[] = [];
  #length = 0;
  /** With fewer bytes there is no answer to be had. */
  #enough = 0;

  /** The answers that are complete with that piece. @throws when memcached does not speak like this. */
  read(piece: Buffer): readonly MemcachedReply[] {
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (this.#length < this.#enough) return [];
    const bytes = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces, this.#length);
    const replies: MemcachedReply[] = [];
    let at = 0;
    for (;;) {
      const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
      this.#enough = 0;
      if (lineEnd === -1) break;
      const line = bytes.toString('latin1', at, lineEnd);
      const space = line.indexOf(' ');
      const code = space === -1 ? line : line.slice(0, space);
      const rest = space === -1 ? '' : line.slice(space + 1);
      const [start, size] = [lineEnd + 2, code === 'VA' ? Number.parseInt(rest, 10) : 0];
      if (code !== 'VA') {
        replies.push({ code, rest, value: undefined });
        at = start;
        continue;
      }
      const end = start + size;
      this.#enough = end + 2 - at;
      if (bytes.length < end + 2) break;
      if (bytes.toString('latin1', end, end + 2) !== '\r\n')
        throw new Error(`memcached said '${line}' and lied`);
      replies.push({ code, rest, value: bytes.subarray(start, end) });
      at = end + 2;
    }
    this.#keep(bytes.subarray(at));
    return replies;
  }

  #keep(left: Buffer): void {
    if (this.#enough === 0 && left.length > longestLine)
      throw new Error('memcached said too much in one line');
    this.#pieces.length = 0;
    if (left.length > 0) this.#pieces.push(left);
    this.#length = left.length;
  }
}

/** What a letter says in the line of an answer, as `c` the version of a value. */
export function flagOf({ rest }: MemcachedReply, letter: string): string | undefined {
  return rest
    .split(' ')
    .find((flag) => flag.startsWith(letter))
    ?.slice(1);
}
