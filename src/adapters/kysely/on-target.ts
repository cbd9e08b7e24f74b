import type { CompiledQuery, KyselyPlugin, QueryId } from 'kysely';
import type { QueryTarget } from '../query-options.ts';

const targets = new WeakMap<QueryId, QueryTarget>();

/**
 * A plugin: queries run on a replica, where they may be a little old outside of a session. Anything but a pure read, and
 * a read of a `primaryOnly` table, is refused. Within a transaction they run on the primary with the rest of it.
 *
 * `kysely.withPlugin(onReplica()).selectFrom(…)`
 */
export function onReplica(): KyselyPlugin {
  return onTarget('replica');
}

/** A plugin: queries run on the primary, also where the dialect's `target` is another. */
export function onPrimary(): KyselyPlugin {
  return onTarget('primary');
}

function onTarget(target: QueryTarget): KyselyPlugin {
  return {
    transformQuery: ({ node, queryId }) => {
      targets.set(queryId, target);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
}

/** Where a query is to run; of several plugins the one that was added last decides. */
export function targetOf({ query, queryId }: CompiledQuery, byDefault: QueryTarget): QueryTarget {
  const target = targets.get(queryId) ?? byDefault;
  return target === 'auto' && query.kind !== 'SelectQueryNode' ? 'primary' : target;
}
