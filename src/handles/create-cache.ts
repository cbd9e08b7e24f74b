import { Cache } from '../cache/cache.ts';
import type { Position } from '../consistency/position.ts';
import { type Identity, lifeOf } from '../pool/identity.ts';
import { Deadline } from '../resilience/deadline.ts';
import type { Primary } from '../topology/primary.ts';
import type { Services } from './services.ts';

interface CacheParts extends Pick<Services, 'config' | 'events' | 'reads'> {
  readonly primary: Pick<Primary, 'identity' | 'openEpoch'>;
}

/** The primary is asked where it stands in one round trip; one that does not answer is asked for the rows instead. */
const positionTimeoutMs = 1_000;

/** The cache that is configured, on this cluster's servers. */
export function createCache({ config, events, reads, primary }: CacheParts): Cache | undefined {
  if (config.cache === undefined) return undefined;
  return new Cache({
    config: config.cache,
    events,
    primaryKey: primaryKey(primary),
    position: async (deadline: Deadline): Promise<Position | undefined> => {
      const limit = new Deadline(Math.min(deadline.remainingMs(), positionTimeoutMs), deadline.signal);
      return await primary.openEpoch?.positions.since(performance.now(), limit);
    },
    required: (floor, deadline) => reads.required(floor, deadline),
    timeoutMs: config.timeoutMs,
    database: config.session.database,
  });
}

/** Names the primary; a restart in place does not make it another one. */
function primaryKey(primary: Pick<Primary, 'identity'>): () => string | undefined {
  let known: { readonly identity: Identity; readonly key: string } | undefined;
  return () => {
    const { identity } = primary;
    if (identity === undefined) return undefined;
    if (known?.identity !== identity) known = { identity, key: lifeOf({ identity, startedAtMs: 0 }).key };
    return known.key;
  };
}
