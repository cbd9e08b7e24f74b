import { type Fence, mergedFence, unknownFence } from './fence.ts';
import type {
  CompleteOrder,
  Era,
  Filled,
  FillOrder,
  MarkOrder,
  Opened,
  OpenOrder,
  ReleaseOrder,
  SettleOrder,
} from './store.ts';

/** The whole of a record. Immutable. */
export interface CacheRecord {
  readonly era: Era;
  readonly gen: string;
  readonly fence: Fence;
  /** Marks by their ids, and when each of them expires. */
  readonly marks: ReadonlyMap<string, number>;
  readonly lease: { readonly id: string; readonly until: number } | undefined;
  readonly filled: Filled | undefined;
}

/** When it happens, and in which era. */
export interface Moment {
  readonly era: Era;
  readonly now: number;
}

type Found = CacheRecord | undefined;

/** What {@link CacheStore.open} does to a record. Pure; the scripts of the Redis store do the same. */
export function opened(found: Found, order: OpenOrder, moment: Moment): [CacheRecord, Opened] {
  const record = current(found, order.gen, moment);
  const { gen, fence } = record;
  const isPending = record.marks.size > 0;
  const told = (lease: Opened['lease'], heldMs = 0): Opened => ({ gen, fence, isPending, lease, heldMs });
  if (order.lease === undefined || isPending) return [record, told('none')];
  if (record.filled !== undefined && record.filled.by !== order.lease.seenFill) {
    return [record, told('filled')];
  }
  const { id = '', until = 0 } = record.lease ?? {};
  const heldMs = until - moment.now;
  if (heldMs > 0 && purposeOf(id) === purposeOf(order.lease.id)) return [record, told('held', heldMs)];
  const lease = { id: order.lease.id, until: moment.now + order.lease.ms };
  return [{ ...record, lease }, told('granted')];
}

/** What a lease was taken for. */
function purposeOf(lease: string): string | undefined {
  return /^([^.]*)\./.exec(lease)?.[1];
}

/** The record with its value; `undefined` when the lease is gone. */
export function filled(found: Found, order: FillOrder, { era, now }: Moment): Found {
  if (found?.era !== era || found.lease?.id !== order.lease) return undefined;
  const { lease: by, proof, proven, loadMs, payload } = order;
  return {
    ...found,
    fence: found.fence === unknownFence ? (order.fence ?? unknownFence) : found.fence,
    lease: undefined,
    filled: { by, proof, proven, loadMs, payload, freshUntil: now + order.ttlMs },
  };
}

/** The record without the lease; `undefined` when that is another one by now. */
export function released(found: Found, order: ReleaseOrder, { era }: Moment): Found {
  if (found?.era !== era || found.lease?.id !== order.lease) return undefined;
  return { ...found, lease: undefined };
}

export function settled(found: Found, order: SettleOrder, { era }: Moment): Found {
  const isSame = found?.era === era && found.gen === order.gen && found.marks.size === 0;
  return isSame && found.fence === unknownFence ? { ...found, fence: order.fence } : undefined;
}

export function marked(found: Found, order: MarkOrder, moment: Moment): CacheRecord {
  const record = current(found, order.gen, moment);
  const marks = new Map(record.marks).set(order.id, moment.now + order.ms);
  return { ...record, gen: order.gen, marks, lease: undefined, filled: undefined };
}

/** `undefined`: there is nothing to invalidate. */
export function completed(found: Found, order: CompleteOrder, moment: Moment): Found {
  if (found === undefined) return undefined;
  const record = current(found, order.gen, moment);
  const marks = new Map(record.marks);
  marks.delete(order.id);
  const fence = order.fence === undefined ? record.fence : mergedFence(record.fence, order.fence);
  return { ...record, gen: order.gen, fence, marks, lease: undefined, filled: undefined };
}

/** The record as it counts now: unknown when there was none, or one of another era, or a mark was never completed. */
function current(found: Found, gen: string, { era, now }: Moment): CacheRecord {
  const marks = new Map([...(found?.marks ?? [])].filter(([, expiresAt]) => expiresAt > now));
  if (found?.era === era && marks.size === found.marks.size) return found;
  return { era, gen, fence: unknownFence, marks, lease: undefined, filled: undefined };
}
