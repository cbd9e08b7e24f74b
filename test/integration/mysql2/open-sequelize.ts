import { type Options, Sequelize } from 'sequelize';
import { mysql2For } from '../../../src/adapters/mysql2/index.ts';
import type { Cluster } from '../../../src/index.ts';

/** Sequelize on a cluster, with what its users have to write for that. */
export function openSequelize(db: Cluster, options: Options = {}): Sequelize {
  return new Sequelize({ dialect: 'mysql', dialectModule: mysql2For(db), logging: false, ...options });
}
