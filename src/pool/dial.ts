import { connect, type Socket } from 'node:net';
import type { Endpoint } from '../config/types.ts';
import type { Deadline } from '../resilience/deadline.ts';
import { startTimer } from '../resilience/timer.ts';

export interface DialOptions {
  readonly endpoint: Endpoint;
  /** Limit of each attempt. */
  readonly tcpTimeoutMs: number;
  readonly deadline: Deadline;
  /** Sees every socket as it is made, so that closing the cluster can destroy them. */
  readonly onSocket: (socket: Socket) => void;
  /** Receives a connection that was established after another had won; it must be logged in and closed. */
  readonly onSpare: (socket: Socket) => void;
}

/** Attempts of one dial. Three within one time limit outrun a lost SYN, which the kernel repeats only after 1 s. */
const hedges = 3;

/** Probes of an idle peer start after this long: whoever has taken over a moved address answers them with RST. */
const keepAliveMs = 1_000;

class DialTimeout extends Error {
  readonly code = 'ETIMEDOUT';
  readonly syscall = 'connect';
}

/**
 * Opens a TCP or Unix socket. While an attempt is unanswered another one starts every third of `tcpTimeoutMs`;
 * the first to connect wins. A refusal ends the dial at once.
 */
export function dial(options: DialOptions): Promise<Socket> {
  const { endpoint, tcpTimeoutMs, deadline, onSocket, onSpare } = options;
  return new Promise((resolve, reject) => {
    const pending = new Set<Socket>();
    let settled = false;
    let started = 0;
    let hedgeTimer: NodeJS.Timeout | undefined;

    const settle = (): void => {
      settled = true;
      clearTimeout(hedgeTimer);
      cancelWait();
    };
    const fail = (error: Error): void => {
      if (settled) return;
      settle();
      for (const socket of pending) socket.destroy();
      reject(error);
    };

    const attempt = (): void => {
      started += 1;
      const socket =
        endpoint.kind === 'socket' ? connect(endpoint.path) : connect(endpoint.port, endpoint.host);
      pending.add(socket);
      onSocket(socket);
      const drop = (error: Error): void => {
        // Once: destroying it closes it.
        if (!pending.delete(socket)) return;
        clearTimeout(limit);
        socket.destroy();
        const refused = !(error instanceof DialTimeout);
        if (refused || (pending.size === 0 && started === hedges)) fail(error);
      };
      const limit = startTimer(tcpTimeoutMs, () =>
        drop(new DialTimeout(`no answer from ${endpoint.name} within ${tcpTimeoutMs} ms`)),
      );
      const onClose = (): void => drop(new Error(`closed while connecting to ${endpoint.name}`));
      socket.once('error', drop);
      socket.once('close', onClose);
      socket.once('connect', () => {
        clearTimeout(limit);
        pending.delete(socket);
        socket.off('error', drop).off('close', onClose);
        socket.setNoDelay(true);
        socket.setKeepAlive(true, keepAliveMs);
        if (settled) {
          onSpare(socket);
          return;
        }
        settle();
        resolve(socket);
      });
      if (started < hedges) {
        hedgeTimer = startTimer(tcpTimeoutMs / hedges, () => {
          if (!settled) attempt();
        });
      }
    };

    const cancelWait = deadline.onInterrupt(() =>
      fail(new DialTimeout(`stopped waiting for ${endpoint.name} to accept a connection`)),
    );
    attempt();
  });
}
