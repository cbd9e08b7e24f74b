import { type Floor, type SeenServer, type ServerLife, sameLife } from './floor.ts';
import type { Position } from './position.ts';

/**
 * What other servers say that reads on them have seen at most, asked after they were read; `undefined` while they have
 * not said so.
 */
export interface Witnesses {
  server(seen: SeenServer): Position | undefined;
  primary(at: number): Position | undefined;
}

/** What a server must have applied to serve a read: `unknown` when nobody can tell, then only the primary will do. */
export type Required = Position | 'nothing' | 'unknown';

/** The life of no server: every read needs its proof. */
export const nobody: ServerLife = { key: '', startedAtMs: Number.NaN };

/**
 * What `reader` must have applied to serve reads above `floor`. Its own earlier reads need no proof: a server does not
 * go back within one life. Pure.
 */
export function requiredPosition(
  floor: Floor,
  reader: ServerLife | 'primary',
  witnesses: Witnesses,
): Required {
  if (floor.isUnknown && reader !== 'primary') return 'unknown';
  const parts: Position[] = [];
  if (floor.position !== undefined && !floor.position.isEmpty) parts.push(floor.position);
  for (const seen of floor.seen) {
    if (reader !== 'primary' && sameLife(seen, reader)) continue;
    const position = witnesses.server(seen);
    if (position === undefined) return 'unknown';
    parts.push(position);
  }
  if (floor.primaryAt !== undefined && reader !== 'primary') {
    const position = witnesses.primary(floor.primaryAt);
    if (position === undefined) return 'unknown';
    parts.push(position);
  }
  return united(parts);
}

function united(parts: readonly Position[]): Required {
  const [first, ...others] = parts;
  if (first === undefined) return 'nothing';
  if (others.some(({ vendor }) => vendor !== first.vendor)) return 'unknown';
  return others.reduce((all, part) => all.union(part), first);
}
