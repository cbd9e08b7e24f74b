import {
  excerpt,
  InvalidPositionError,
  maxPositionLength,
  type Position,
  parseNumber,
  positionItems,
  type Span,
} from './position.ts';

const maxId = 2n ** 32n - 1n;
const maxSequence = 2n ** 64n - 1n;

/** The last transaction of one server in one domain; it stands for all before it. */
interface Entry {
  readonly domain: bigint;
  readonly server: bigint;
  readonly sequence: bigint;
}

/**
 * A GTID list of MariaDB, such as `0-1-20,1-2-7`. Immutable. It holds one entry per domain and server, as
 * `@@gtid_binlog_state` does: two servers that wrote in one domain count their own, so that one's progress never
 * stands for the other's.
 */
export class GtidList implements Position {
  readonly vendor = 'mariadb';
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(entries: ReadonlyMap<string, Entry>) {
    this.#entries = entries;
  }

  /**
   * Reads what a server or a client wrote, with white space between the entries. Of several entries of one server in
   * one domain the highest counts.
   *
   * @throws {@link InvalidPositionError} for anything that is no GTID list, and for more than `maxLength` characters.
   */
  static parse(text: string, maxLength: number = maxPositionLength): GtidList {
    return GtidList.#of(positionItems(text, 'GTID list', maxLength).map(parseEntry));
  }

  static #of(entries: Iterable<Entry>): GtidList {
    const highest = new Map<string, Entry>();
    for (const entry of entries) {
      const source = sourceOf(entry);
      if (entry.sequence > (highest.get(source)?.sequence ?? 0n)) highest.set(source, entry);
    }
    return new GtidList(highest);
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  contains(other: Position): boolean {
    return asList(other).subtract(this).isEmpty;
  }

  union(other: Position): GtidList {
    return GtidList.#of([...this.#entries.values(), ...asList(other).#entries.values()]);
  }

  /** The entries that are further on here; each stands for what comes after the entry of `other`. */
  subtract(other: Position): GtidList {
    const others = asList(other).#entries;
    return this.#filter((entry) => entry.sequence > (others.get(sourceOf(entry))?.sequence ?? 0n));
  }

  /** The transactions that a server began itself, in any domain, by its `@@server_id`. */
  from(serverId: number): GtidList {
    return this.#filter(({ server }) => server === BigInt(serverId));
  }

  /** The entries that stand in both lists with the same number. */
  intersect(other: GtidList): GtidList {
    return this.#filter((entry) => other.#entries.get(sourceOf(entry))?.sequence === entry.sequence);
  }

  /** The entries of every server in the domains of which `other` has any. */
  inDomainsOf(other: GtidList): GtidList {
    const domains = new Set([...other.#entries.values()].map(({ domain }) => domain));
    return this.#filter(({ domain }) => domains.has(domain));
  }

  /** An entry stands for all before it: how far it is known back does not show, so each span is its last number. */
  spans(): Span[] {
    return [...this.#entries].map(([source, { sequence }]) => ({ source, first: sequence, last: sequence }));
  }

  toString(): string {
    return [...this.#entries.values()]
      .sort((a, b) => Number(a.domain - b.domain) || Number(a.server - b.server))
      .map((entry) => `${sourceOf(entry)}-${entry.sequence}`)
      .join(',');
  }

  #filter(keep: (entry: Entry) => boolean): GtidList {
    return new GtidList(new Map([...this.#entries].filter(([, entry]) => keep(entry))));
  }
}

function asList(position: Position): GtidList {
  if (position instanceof GtidList) return position;
  throw new TypeError('a position of MySQL cannot be compared with one of MariaDB');
}

function sourceOf({ domain, server }: Entry): string {
  return `${domain}-${server}`;
}

function parseEntry(item: string): Entry {
  const parts = item.split('-');
  const [domain = '', server = '', sequence = ''] = parts;
  if (parts.length !== 3) {
    throw new InvalidPositionError(`GTID list: ${excerpt(item)} is not domain-server-sequence`);
  }
  const where = `(in ${excerpt(item)})`;
  return {
    domain: parseNumber(domain, maxId, `GTID list: a domain ${where}`),
    server: parseNumber(server, maxId, `GTID list: a server ${where}`),
    sequence: parseNumber(sequence, maxSequence, `GTID list: a sequence number ${where}`),
  };
}
