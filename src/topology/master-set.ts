import type { Endpoint, ResolvedConfig } from '../config/types.ts';
import type { ClusterEmitter } from '../observe/emitter.ts';
import { Connector } from '../pool/connector.ts';
import { Master } from './master.ts';
import type { MasterStatus } from './master-status.ts';
import type { ReplicaCollisions } from './replica-collisions.ts';
import type { Writers } from './writers.ts';

export interface MasterSetOptions {
  readonly config: ResolvedConfig;
  readonly events: ClusterEmitter;
  readonly collisions: ReplicaCollisions;
  readonly writers: Writers;
  readonly onHostBlocked: (endpoint: Endpoint) => void;
}

/** Two looks in a row are evidence, so there must not be long between them. */
const longestIntervalMs = 1_000;

const longestTickMs = 50;

/** The masters by their own addresses, beside the VIP: looked at for what they are and write, and for nothing else. */
export class MasterSet {
  readonly #masters: readonly Master[];
  readonly #tickMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor({ config, events, collisions, writers, onHostBlocked }: MasterSetOptions) {
    const { masters, session, tcpTimeoutMs, loginTimeoutMs, monitor } = config;
    const { timeoutMs } = monitor;
    const intervalMs = Math.min(monitor.intervalMs, longestIntervalMs);
    const tickMs = Math.min(longestTickMs, timeoutMs / 4);
    this.#tickMs = tickMs;
    this.#masters = masters.map(({ endpoint, credentials }) => {
      const login = { endpoint, credentials, session, tcpTimeoutMs, loginTimeoutMs, onHostBlocked };
      const connector = new Connector({ ...login, role: 'replica' });
      const settings = { intervalMs, timeoutMs };
      return new Master({ connector, settings, tickMs, events, collisions, writers });
    });
    writers.onOpened = () => {
      for (const master of this.#masters) master.look();
    };
  }

  /** Begins to connect, in the background. */
  start(): void {
    if (this.#masters.length === 0) return;
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
    this.#tick();
  }

  status(): readonly MasterStatus[] {
    return this.#masters.map((master) => master.status());
  }

  /** Ends every connection and timer. */
  close(): void {
    clearInterval(this.#timer);
    for (const master of this.#masters) master.close();
  }

  #tick(): void {
    for (const master of this.#masters) master.tick();
  }
}
