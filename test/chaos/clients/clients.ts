import type { Client, ClientTarget } from '../client.ts';
import { repeatingClient, vipsqlClient } from './vipsql.ts';

/** Every client by its name. */
export const clients = {
  vipsql: vipsqlClient,
  'vipsql, repeating what is in doubt': repeatingClient,
} as const satisfies Readonly<Record<string, (target: ClientTarget) => Client>>;

export type ClientName = keyof typeof clients;
