import { afterEach } from 'vitest';
import { resolveConfig } from '../../../src/config/resolve.ts';
import type { ClusterConfig, ResolvedPool } from '../../../src/config/types.ts';
import { ownCommand } from '../../../src/pool/command.ts';
import type { Connection } from '../../../src/pool/connection.ts';
import { Connector } from '../../../src/pool/connector.ts';
import { Pool } from '../../../src/pool/pool.ts';
import { Deadline } from '../../../src/resilience/deadline.ts';
import { Failed } from '../../../src/resilience/failed.ts';
import type { Failure } from '../../../src/resilience/failures.ts';

const opened: PoolFixture[] = [];

afterEach(() => {
  for (const fixture of opened.splice(0)) fixture.close();
});

const testIsOver: Failure = {
  kind: 'lost',
  outcome: 'unknown',
  message: 'the test is over',
  cause: undefined,
  connection: 'destroy',
};

/** A connector to one address, without a pool; closed after the test. */
export class ConnectorFixture {
  readonly connector: Connector;
  /** How often the server said that it has banned this host. */
  hostBlocked = 0;

  constructor(input: ClusterConfig) {
    const config = resolveConfig(input);
    const { endpoint, credentials } = config.primary;
    this.connector = new Connector({
      endpoint,
      credentials,
      session: config.session,
      role: 'primary',
      tcpTimeoutMs: config.tcpTimeoutMs,
      loginTimeoutMs: config.loginTimeoutMs,
      onHostBlocked: () => {
        this.hostBlocked += 1;
      },
    });
  }

  connect(deadline = new Deadline(10_000)): Promise<Connection> {
    return this.connector.connect({ readOnly: false, deadline });
  }

  close(): void {
    this.connector.close();
  }
}

/** A pool as an epoch has one, without the watch above it; closed after the test. */
export class PoolFixture extends ConnectorFixture {
  readonly pool: Pool;
  readonly settings: ResolvedPool;
  readonly connectFailures: Failure[] = [];
  losses = 0;

  constructor(input: ClusterConfig) {
    super(input);
    this.settings = resolveConfig(input).pool.primary;
    this.pool = new Pool({
      name: 'the test',
      settings: this.settings,
      connect: (deadline) => this.connector.connect({ readOnly: false, deadline }),
      onConnectFailure: (failure) => this.connectFailures.push(failure),
      onConnectionLost: () => {
        this.losses += 1;
      },
    });
    opened.push(this);
  }

  acquire(timeoutMs = 10_000, signal?: AbortSignal): Promise<Connection> {
    return this.pool.acquire(new Deadline(timeoutMs, signal));
  }

  /** Lends as many connections as asked for at once, and gives them back in that order. */
  async openConnections(count: number): Promise<Connection[]> {
    const connections = await Promise.all(Array.from({ length: count }, () => this.acquire()));
    for (const connection of connections) this.pool.release(connection);
    return connections;
  }

  override close(): void {
    this.pool.discard(testIsOver);
    super.close();
  }
}

/** The first column of the first row. */
export async function valueOn(connection: Connection, sql: string, timeoutMs = 10_000): Promise<unknown> {
  const { rows } = await connection.run(ownCommand(sql), new Deadline(timeoutMs));
  const [row] = rows as Record<string, unknown>[];
  return Object.values(row ?? {})[0];
}

/** Resolves to the failure that a promise of the inner layers rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Failed) return error.failure;
    throw error;
  }
  throw new Error('expected a rejection');
}

/** What a pool says of itself; the pool as such cannot be compared or shown. */
export function stateOf({ open, inUse, waiting }: Pool): Pick<Pool, 'open' | 'inUse' | 'waiting'> {
  return { open, inUse, waiting };
}
