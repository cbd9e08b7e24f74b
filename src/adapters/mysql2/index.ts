export type { TypeCast } from '../../pool/driver-reading.ts';
export { createPool } from './create-pool.ts';
export { type Mysql2Module, mysql2For } from './mysql2-for.ts';
export type { DriverConfig, FacadeOptions, PoolRole } from './options.ts';
