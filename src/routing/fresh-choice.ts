import type { Floor, ServerLife } from '../consistency/floor.ts';
import type { Position } from '../consistency/position.ts';
import { nobody, requiredPosition, type Witnesses } from '../consistency/required-position.ts';

/** The least that choosing needs to know of a server for a read that must see something. */
export interface FreshCandidate {
  /** `undefined`: another one with each connection, behind a balanced address. */
  readonly life: ServerLife | undefined;
  holds(position: Position): boolean;
}

/** What is known of a server and a read, before anything is asked. */
export type Fitness =
  | { readonly kind: 'fit' }
  /** It may have `required`, or get there. */
  | { readonly kind: 'open'; readonly required: Position }
  /** Nobody can tell what it would have to have. */
  | { readonly kind: 'unfit' };

const fit: Fitness = { kind: 'fit' };
const unfit: Fitness = { kind: 'unfit' };

/** Says whether a server will do for a read above `floor`. Pure. */
export function fitnessOf({ life, holds }: FreshCandidate, floor: Floor, witnesses: Witnesses): Fitness {
  const required = requiredPosition(floor, life ?? nobody, witnesses);
  if (required === 'nothing') return fit;
  if (required === 'unknown') return unfit;
  return life !== undefined && holds(required) ? fit : { kind: 'open', required };
}
