import type { SessionConfig } from '../../config/types.ts';
import type { DriverAnswer } from '../driver/driver-command.ts';

/** `SET time_zone` to what every session of the cluster has: Sequelize does so on each of its connections. */
export function isSetAlready(sql: string, { timezone }: Pick<SessionConfig, 'timezone'>): boolean {
  const [, given] = /^\s*SET time_zone = '([+-]\d\d:\d\d)'\s*;?\s*$/i.exec(sql) ?? [];
  return given === timezone;
}

/** What a server would answer. */
export function answerOfSet(): DriverAnswer {
  const header = {
    fieldCount: 0,
    affectedRows: 0,
    changedRows: 0,
    insertId: 0,
    info: '',
    serverStatus: 2,
    warningStatus: 0,
  };
  return [header as never, undefined];
}
