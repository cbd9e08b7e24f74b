import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { LabAddress } from './lab.ts';
import { LabError } from './lab-error.ts';

/** Below every usual range of ephemeral ports, so that no outgoing connection takes the port of a dead server. */
const portRange = { from: 15_000, to: 30_000 };

/** The hosts of one lab, all free at the moment of choosing. */
export interface LabAddresses {
  readonly vip: LabAddress;
  readonly servers: readonly LabAddress[];
  readonly redis: LabAddress;
}

/**
 * Chooses addresses for a lab. On Linux each lab gets a loopback network of its own and every server the port 3306 in
 * it, as in production; elsewhere, where only 127.0.0.1 exists, each gets a port.
 */
export async function chooseAddresses(serverCount: number): Promise<LabAddresses> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const addresses = process.platform === 'linux' ? ownNetwork(serverCount, attempt) : ownPorts(serverCount);
    const all = [addresses.vip, addresses.redis, ...addresses.servers];
    if ((await Promise.all(all.map(isFree))).every(Boolean)) return addresses;
  }
  throw new LabError('no free loopback addresses were found in 20 attempts');
}

function ownNetwork(serverCount: number, attempt: number): LabAddresses {
  const network = `127.${randomInt(64, 250)}.${randomInt(0, 256)}`;
  // A program that listens on every address at 3306 takes it on all of loopback.
  const port = attempt === 0 ? 3306 : randomInt(portRange.from, portRange.to);
  return {
    vip: { host: `${network}.99`, port },
    servers: Array.from({ length: serverCount }, (_, index) => ({ host: `${network}.${index + 1}`, port })),
    redis: { host: `${network}.100`, port: attempt === 0 ? 6379 : port + 1 },
  };
}

function ownPorts(serverCount: number): LabAddresses {
  const first = randomInt(portRange.from, portRange.to);
  const at = (offset: number): LabAddress => ({ host: '127.0.0.1', port: first + offset });
  return {
    vip: at(0),
    redis: at(1),
    servers: Array.from({ length: serverCount }, (_, index) => at(index + 2)),
  };
}

function isFree({ host, port }: LabAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host, port }, () => probe.close(() => resolve(true)));
  });
}
