import { setTimeout as sleep } from 'node:timers/promises';

/** An answer that ends a request: anything but "not now" and a broken connection. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** What happened to one request of a buyer, with all its repeats. */
export interface Attempts {
  readonly sent: number;
  readonly unavailable: number;
  readonly inDoubt: number;
  readonly broken: number;
  readonly waitedMs: number;
}

export interface Exchange {
  /** `undefined`: none came while the buyer was willing to wait. */
  readonly answer: Answer | undefined;
  readonly attempts: Attempts;
}

const requestTimeoutMs = 12_000;
const patienceMs = 15_000;
const pauseAfterBrokenMs = 250;

/**
 * Does what a client of the service has to do: repeats a request, with the same id in it, when the service said 503 or
 * the connection broke, and waits in between as long as the service asked it to.
 */
export async function exchange(method: string, url: string, body?: unknown): Promise<Exchange> {
  const begun = performance.now();
  const counts = { sent: 0, unavailable: 0, inDoubt: 0, broken: 0 };
  const waitedMs = (): number => performance.now() - begun;
  for (;;) {
    counts.sent += 1;
    const { answer, pauseMs, reason } = await send(method, url, body);
    if (reason !== undefined) counts[reason] += 1;
    if (answer !== undefined || waitedMs() + pauseMs > patienceMs) {
      return { answer, attempts: { ...counts, waitedMs: waitedMs() } };
    }
    await sleep(pauseMs);
  }
}

interface Reply {
  readonly answer?: Answer;
  readonly pauseMs: number;
  readonly reason?: 'unavailable' | 'inDoubt' | 'broken';
}

async function send(method: string, url: string, body: unknown): Promise<Reply> {
  try {
    const response = await fetch(url, {
      method,
      signal: AbortSignal.timeout(requestTimeoutMs),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const content: unknown = await response.json();
    if (response.status !== 503) return { answer: { status: response.status, body: content }, pauseMs: 0 };
    const pauseMs = Number(response.headers.get('retry-after') ?? 1) * 1000;
    return { pauseMs, reason: errorCode(content) === 'in_doubt' ? 'inDoubt' : 'unavailable' };
  } catch {
    return { pauseMs: pauseAfterBrokenMs, reason: 'broken' };
  }
}

/** The `error` of an answer's body. */
export function errorCode(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
}
