import type { MasterName } from '../../src/testing/index.ts';

/** What a login at the VIP found, when that differs from what the one before it found. */
export interface VipSighting {
  /** When it was begun, in milliseconds since 1970 with fractions, on this machine's clock. */
  readonly begunAt: number;
  /** When its answer was complete, or when it failed. */
  readonly at: number;
  readonly state: 'writable' | 'read-only' | 'silent' | 'refused' | 'error';
  /** Which master answered. */
  readonly server?: MasterName;
  /** What went wrong, such as `ECONNREFUSED`. */
  readonly code?: string;
}

/** Someone else who watches the VIP: a full login every 20 ms, the question who is there, and a goodbye. */
export interface VipProber {
  /** Each change of what it saw, oldest first. */
  readonly sightings: readonly VipSighting[];
  /** How many logins were begun, and how many failed. */
  counts(): { readonly begun: number; readonly failed: number };
  /** The first login that a master answered, begun at or after `since`. Rejects after `timeoutMs` (default 30 s). */
  firstAnswer(since: number, options?: ProberWait): Promise<VipSighting>;
  /** The first login, begun at or after `since`, that met a server which accepts writes; `server` demands which one. */
  firstWritable(since: number, options?: ProberWait): Promise<VipSighting>;
  stop(): Promise<void>;
}

/** How long to wait for a sighting, and of whom. */
export interface ProberWait {
  readonly server?: MasterName;
  readonly timeoutMs?: number;
}
