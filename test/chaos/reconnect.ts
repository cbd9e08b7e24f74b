import { rmSync } from 'node:fs';
import { type Lab, type LabServer, startLab } from '../../src/testing/index.ts';
import { makeCertificates } from '../integration/pool/certificates.ts';
import { otherMaster } from '../support/lost-commits.ts';
import { nowMs } from './clock.ts';
import { ReconnectProcesses } from './reconnect-processes.ts';

/** Connections that lose one server and have to log in at another, all at once. */
export interface Reconnect {
  readonly vendor: Lab['vendor'];
  /** Clusters, each with its own watch. */
  readonly clusters: number;
  /** Connections of each, all in use at the same time. */
  readonly connections: number;
  /** How many processes share them. */
  readonly processes: number;
  /** How long they may take to return before the rest is given up. */
  readonly limitMs: number;
}

/** How the connections came back. */
export interface Returned {
  /** How long after the new server took writes each connection had written there, shortest first, in milliseconds. */
  readonly timesMs: readonly number[];
  /** Connections that had not written there within the limit. */
  readonly missing: number;
  /** Errors and events that were met after the VIP had moved. */
  readonly troubles: readonly string[];
  /** Logins that the new server turned away because there were too many connections. */
  readonly refusedLogins: number;
  /** Logins that it began and could not finish: it bans a host for a hundred of them in a row. */
  readonly unfinishedLogins: number;
  /** Logins that it was asked for in all. */
  readonly logins: number;
}

/** Opening takes much longer than returning: the clusters come one after another. */
const openTimeoutMs = 240_000;

/** Connections of a cluster beside those in use: its watch, and logins under way. */
const furtherConnections = 8;

/** Moves the VIP under clusters that use TLS, and waits until all connections have written to its new owner. */
export async function measureReconnect({
  vendor,
  clusters,
  connections,
  processes,
  limitMs,
}: Reconnect): Promise<Returned> {
  const certificates = makeCertificates('DNS:database');
  try {
    await using lab = await startLab({
      vendor,
      replicas: 0,
      redis: false,
      serverOptions: [
        ...certificates.serverOptions,
        `--max-connections=${clusters * (connections + furtherConnections)}`,
      ],
    });
    await lab.owner().query(`CREATE TABLE ${lab.database}.reconnect (seq BIGINT AUTO_INCREMENT PRIMARY KEY)`);
    await lab.heal();
    await using all = new ReconnectProcesses(
      { config: lab.config(), ca: certificates.ca, clusters: clusters / processes, connections },
      processes,
    );
    const opened = await all.waitForOpened(openTimeoutMs);
    if (opened < clusters) {
      const why = [...new Set(all.troubles)].join('\n');
      throw new Error(`only ${opened} of ${clusters} clusters were open in time:\n${why}`);
    }
    const known = all.troubles.length;
    const next = otherMaster(lab);
    // Asked before too: afterwards there may be no connection left for the question.
    const before = await countLogins(next);
    await lab.fault({ kind: 'move-vip', oldConnections: 'reset', gapMs: 500 });
    const writableAt = nowMs();
    await all.waitForReturned(limitMs);
    const timesMs = all.returnedAt.map((at) => at - writableAt).sort((a, b) => a - b);
    const after = await countLogins(next);
    return {
      timesMs,
      missing: clusters * connections - timesMs.length,
      troubles: all.troubles.slice(known),
      refusedLogins: after.refused - before.refused,
      unfinishedLogins: after.unfinished - before.unfinished,
      logins: after.all - before.all,
    };
  } finally {
    rmSync(certificates.folder, { recursive: true });
  }
}

async function countLogins(server: LabServer): Promise<{ refused: number; unfinished: number; all: number }> {
  const rows = await server.query<{ Variable_name: string; Value: string }>(
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Aborted_connects', 'Connection_errors_max_connections', 'Connections')",
  );
  const count = (name: string): number =>
    Number(rows.find(({ Variable_name }) => Variable_name === name)?.Value ?? Number.NaN);
  return {
    refused: count('Connection_errors_max_connections'),
    unfinished: count('Aborted_connects'),
    all: count('Connections'),
  };
}
