import { DataSource, type DataSourceOptions } from 'typeorm';
import { mysql2For } from '../../../src/adapters/mysql2/index.ts';
import type { Cluster } from '../../../src/index.ts';

export type TypeormOptions = Partial<Extract<DataSourceOptions, { readonly type: 'mysql' | 'mariadb' }>>;

/** TypeORM on a cluster, with what its users have to write for that. */
export function openTypeorm(db: Cluster, options: TypeormOptions = {}): Promise<DataSource> {
  return new DataSource({ type: 'mysql', driver: mysql2For(db), timezone: 'Z', ...options }).initialize();
}
