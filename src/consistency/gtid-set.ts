import { type Interval, type Intervals, normalised, without } from './intervals.ts';
import {
  excerpt,
  InvalidPositionError,
  maxPositionLength,
  type Position,
  parseNumber,
  positionItems,
  type Span,
} from './position.ts';

/** The highest sequence number that MySQL gives away. */
const maxSequence = 2n ** 63n - 2n;

const uuidShape = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const tagShape = /^[a-z_][a-z0-9_]{0,31}$/;

/** By tag; transactions without one stand under the empty tag. */
type Tags = ReadonlyMap<string, Intervals>;

/** A GTID set of MySQL, such as `3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7:tag:1-3`. Immutable. */
export class GtidSet implements Position {
  /** The set without transactions. */
  static readonly empty = new GtidSet(new Map());
  readonly vendor = 'mysql';
  readonly #sources: ReadonlyMap<string, Tags>;

  private constructor(sources: ReadonlyMap<string, Tags>) {
    this.#sources = sources;
  }

  /**
   * Reads what a server or a client wrote; letters of any case, with white space and line breaks between the parts.
   *
   * @throws {@link InvalidPositionError} for anything that is no GTID set, and for more than `maxLength` characters.
   */
  static parse(text: string, maxLength: number = maxPositionLength): GtidSet {
    const sources = new Map<string, Map<string, Interval[]>>();
    for (const item of positionItems(text, 'GTID set', maxLength)) addItem(sources, item.toLowerCase());
    return new GtidSet(mapValues(sources, (tags) => mapValues(tags, normalised)));
  }

  get isEmpty(): boolean {
    return this.#sources.size === 0;
  }

  contains(other: Position): boolean {
    return asSet(other).subtract(this).isEmpty;
  }

  union(other: Position): GtidSet {
    const sources = new Map(this.#sources);
    for (const [uuid, tags] of asSet(other).#sources) {
      const own = sources.get(uuid);
      sources.set(uuid, own === undefined ? tags : unitedTags(own, tags));
    }
    return new GtidSet(sources);
  }

  subtract(other: Position): GtidSet {
    const sources = new Map<string, Tags>();
    const others = asSet(other).#sources;
    for (const [uuid, tags] of this.#sources) {
      const left = tagsWithout(tags, others.get(uuid));
      if (left.size > 0) sources.set(uuid, left);
    }
    return new GtidSet(sources);
  }

  /** The transactions that a server began itself, with any tag and with none, by its `@@server_uuid`. */
  from(uuid: string): GtidSet {
    const key = uuid.toLowerCase();
    const tags = this.#sources.get(key);
    return tags === undefined ? GtidSet.empty : new GtidSet(new Map([[key, tags]]));
  }

  spans(): Span[] {
    return [...this.#sources].flatMap(([uuid, tags]) =>
      [...tags].map(([tag, intervals]) => ({
        source: tag === '' ? uuid : `${uuid}:${tag}`,
        first: intervals[0]?.[0] ?? 0n,
        last: intervals.at(-1)?.[1] ?? 0n,
      })),
    );
  }

  toString(): string {
    return inOrder(this.#sources)
      .map(([uuid, tags]) => `${uuid}${inOrder(tags).map(tagText).join('')}`)
      .join(',');
  }
}

function asSet(position: Position): GtidSet {
  if (position instanceof GtidSet) return position;
  throw new TypeError('a position of MariaDB cannot be compared with one of MySQL');
}

/** `uuid:1-5:7`, `uuid:tag:1-3`, or both in one: a tag holds for the intervals after it. */
function addItem(sources: Map<string, Map<string, Interval[]>>, item: string): void {
  const [uuid = '', ...parts] = item.split(':').map((part) => part.trim());
  if (!uuidShape.test(uuid)) {
    throw new InvalidPositionError(`GTID set: ${excerpt(uuid)} is no UUID (in ${excerpt(item)})`);
  }
  const tags = getOrSet(sources, uuid, () => new Map<string, Interval[]>());
  let tag = '';
  let isComplete = false;
  for (const part of parts) {
    if (tagShape.test(part)) {
      if (tag !== '' && !isComplete) break;
      tag = part;
      isComplete = false;
    } else {
      getOrSet(tags, tag, () => []).push(parseInterval(part, item));
      isComplete = true;
    }
  }
  if (!isComplete) {
    const what = tag === '' ? 'the UUID' : `the tag ${tag}`;
    throw new InvalidPositionError(`GTID set: no interval follows ${what} (in ${excerpt(item)})`);
  }
}

function parseInterval(text: string, item: string): Interval {
  const [first = '', last = first, ...rest] = text.split('-').map((bound) => bound.trim());
  const what = `GTID set: a sequence number (in ${excerpt(item)})`;
  if (rest.length > 0) throw new InvalidPositionError(`${what} must be n or n-m, not ${excerpt(text)}`);
  const interval = [parseNumber(first, maxSequence, what), parseNumber(last, maxSequence, what)] as const;
  if (interval[0] === 0n) throw new InvalidPositionError(`${what} must be 1 or more, not ${excerpt(text)}`);
  if (interval[1] < interval[0]) {
    throw new InvalidPositionError(`${what}: the interval ${excerpt(text)} ends before it begins`);
  }
  return interval;
}

function unitedTags(a: Tags, b: Tags): Tags {
  const tags = new Map(a);
  for (const [tag, intervals] of b) tags.set(tag, normalised([...(a.get(tag) ?? []), ...intervals]));
  return tags;
}

function tagsWithout(tags: Tags, others: Tags | undefined): Tags {
  if (others === undefined) return tags;
  const left = new Map<string, Intervals>();
  for (const [tag, intervals] of tags) {
    const rest = without(intervals, others.get(tag) ?? []);
    if (rest.length > 0) left.set(tag, rest);
  }
  return left;
}

function tagText([tag, intervals]: readonly [string, Intervals]): string {
  const texts = intervals.map(([first, last]) => (first === last ? `:${first}` : `:${first}-${last}`));
  return `${tag === '' ? '' : `:${tag}`}${texts.join('')}`;
}

function inOrder<V>(map: ReadonlyMap<string, V>): [string, V][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function mapValues<V, W>(map: ReadonlyMap<string, V>, change: (value: V) => W): Map<string, W> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}

function getOrSet<V>(map: Map<string, V>, key: string, create: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created = create();
  map.set(key, created);
  return created;
}
