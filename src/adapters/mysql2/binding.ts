import type { Services } from '../../handles/services.ts';
import type { DriverOptions } from '../../pool/driver-reading.ts';
import { driverOptionsOf } from '../driver/driver-options.ts';
import type { FacadeOptions, PoolRole } from './options.ts';

/** What errors call it. */
export const facadeName = 'vipsql/mysql2';

/** What binds a pool or a connection to a cluster. */
export interface FacadeBinding {
  readonly services: Services;
  readonly role: PoolRole;
  readonly driver: DriverOptions;
  /** The limit of each statement, where the caller has set one. */
  readonly timeoutMs: number | undefined;
  readonly namedPlaceholders: boolean | undefined;
}

export function bindFacade(services: Services, options: FacadeOptions): FacadeBinding {
  const { role = 'primary', timeoutMs, namedPlaceholders } = options;
  const driver = driverOptionsOf(options, services.config.session.timezone);
  return { services, role, driver, timeoutMs, namedPlaceholders };
}
