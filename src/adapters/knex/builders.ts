import QueryBuilderMySQL from 'knex/lib/dialects/mysql/query/mysql-querybuilder.js';
import { setTarget, targetOf } from './query-target.ts';
import type { TargetedQuery } from './targeted-query.ts';

/** Knex's builder of queries, which can say where they run. */
export class TargetedQueryBuilder extends QueryBuilderMySQL implements TargetedQuery {
  replica(): this {
    setTarget(this, 'replica');
    return this;
  }

  primary(): this {
    setTarget(this, 'primary');
    return this;
  }

  override clone(): this {
    const cloned = super.clone();
    const target = targetOf(this);
    if (target !== undefined) setTarget(cloned, target);
    return cloned;
  }
}

const sayings: TargetedQuery = {
  replica() {
    setTarget(this, 'replica');
    return this;
  },
  primary() {
    setTarget(this, 'primary');
    return this;
  },
};

/** Lets raw SQL say where it runs. Its class stays Knex's own: traces are cut by counting the frames of its making. */
export function targeted<Raw extends object>(raw: Raw): Raw {
  return Object.assign(raw, sayings);
}
