import { hostOf } from './redis-address.ts';

/** A hash slot of Redis Cluster, 0 to 16,383. */
export type Slot = number;

const slotCount = 16_384;

/** CRC-16/XMODEM, byte by byte. */
const crcTable = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc & 0xffff;
});

/** The slot of a key: of what stands in its first braces, where there is something in them. */
export function slotOf(key: string): Slot {
  const open = key.indexOf('{');
  const close = open === -1 ? -1 : key.indexOf('}', open + 1);
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key;
  let crc = 0;
  for (const byte of Buffer.from(hashed)) crc = ((crc << 8) & 0xffff) ^ (crcTable[(crc >> 8) ^ byte] ?? 0);
  return crc % slotCount;
}

/** Which masters there are, and whose the slots are. */
export interface SlotMap {
  /** By slot; `undefined` where nobody serves it. */
  readonly owners: readonly (string | undefined)[];
  /** Each once, as `host:port`. */
  readonly masters: readonly string[];
  readonly replicas: readonly string[];
}

type NodeReply = readonly [host: unknown, port: unknown, ...rest: unknown[]];
type RangeReply = readonly [first: unknown, last: unknown, master: NodeReply, ...replicas: NodeReply[]];

/** Reads the answer to CLUSTER SLOTS of the node at `asked`, which may leave its own host out. */
export function readSlots(reply: unknown, asked: string): SlotMap {
  const owners: (string | undefined)[] = Array.from({ length: slotCount });
  const [masters, replicas] = [new Set<string>(), new Set<string>()];
  for (const [first, last, master, ...others] of reply as readonly RangeReply[]) {
    const owner = addressOf(master, asked);
    masters.add(owner);
    owners.fill(owner, Number(first), Number(last) + 1);
    for (const other of others) replicas.add(addressOf(other, asked));
  }
  return { owners, masters: [...masters], replicas: [...replicas] };
}

function addressOf([host, port]: NodeReply, asked: string): string {
  const isNamed = typeof host === 'string' && host !== '' && host !== '?';
  return `${isNamed ? host : hostOf(asked)}:${String(port)}`;
}
