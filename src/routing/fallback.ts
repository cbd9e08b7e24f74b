/** What is known when no untried replica may serve a read. */
export interface FallbackQuestion {
  /** The option of that name. */
  readonly fallback: 'primary' | 'error';
  /** Replicas that may serve, all of which this read has tried. */
  readonly serving: number;
  /** A replica is making its first connection, or a DNS name is being resolved for the first time. */
  readonly expecting: boolean;
  /** Operations on the primary run now rather than wait for a failover. */
  readonly primaryAvailable: boolean;
  /** This read has failed on the primary already. */
  readonly primaryTried: boolean;
}

export type FallbackDecision =
  /** Until a replica's first connection stands or fails, at most `monitor.timeoutMs` after the start. */
  | 'wait'
  /** Under its cap. */
  | 'primary'
  /** One of the replicas that were tried. */
  | 'again'
  | 'fail';

/**
 * Decides what a read does when every replica that may serve was tried, or none may. Pure.
 * During the start it waits for the first connection, so that a deployment does not fall upon the primary.
 */
export function decideFallback(question: FallbackQuestion): FallbackDecision {
  const { fallback, serving, expecting, primaryAvailable, primaryTried } = question;
  if (serving > 0) return fallback === 'primary' && primaryAvailable && !primaryTried ? 'primary' : 'again';
  if (expecting) return 'wait';
  return fallback === 'primary' ? 'primary' : 'fail';
}
