import { rmSync } from 'node:fs';
import { type Lab, startLab } from '../../src/testing/index.ts';
import { type Certificates, makeCertificates } from '../integration/pool/certificates.ts';
import { nowMs } from './clock.ts';
import { endProcess, forkScript } from './processes.ts';
import type { ReconnectReply, ReconnectSetup } from './reconnect-process.ts';

/** Clients that lose one server and have to log in at another, all at once. */
export interface Reconnect {
  readonly vendor: Lab['vendor'];
  /** Clusters, each with its own connections. */
  readonly clients: number;
  /** How many processes share them. */
  readonly processes: number;
}

/** How long after the new server took writes each client had written there, shortest first, in milliseconds. */
export async function measureReconnect({ vendor, clients, processes }: Reconnect): Promise<number[]> {
  const certificates = makeCertificates('DNS:database');
  await using lab = await startLab({
    vendor,
    replicas: 0,
    redis: false,
    serverOptions: [...certificates.serverOptions, `--max-connections=${clients * 10}`],
  });
  await lab.owner().query(`CREATE TABLE ${lab.database}.reconnect (seq BIGINT AUTO_INCREMENT PRIMARY KEY)`);
  await lab.heal();
  const share = Math.ceil(clients / processes);
  const children = Array.from({ length: processes }, () =>
    forkScript('./reconnect-process.ts', setup(lab, certificates, share)),
  );
  const waitForAll = (kind: ReconnectReply['kind']): Promise<number[][]> =>
    Promise.all(
      children.map(
        (child) =>
          new Promise<number[]>((resolve, reject) => {
            child.once('exit', (code, signal) =>
              reject(new Error(`a process of clients ended: ${code ?? signal}`)),
            );
            child.on('message', (reply: ReconnectReply) => {
              if (reply.kind === kind) resolve(reply.kind === 'back' ? [...reply.at] : []);
            });
          }),
      ),
    );
  try {
    const back = waitForAll('back');
    // What fails before it is awaited is the news, not the children that are then ended.
    back.catch(() => {});
    await waitForAll('ready');
    await lab.fault({ kind: 'move-vip', oldConnections: 'reset', gapMs: 500 });
    const writableAt = nowMs();
    const times = (await back).flat().map((at) => at - writableAt);
    return times.sort((a, b) => a - b);
  } finally {
    await Promise.all(children.map((child) => endProcess(child)));
    rmSync(certificates.folder, { recursive: true });
  }
}

function setup(lab: Lab, { ca }: Certificates, clients: number): ReconnectSetup {
  return { config: lab.config(), ca, clients };
}
