import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accounts } from './accounts.ts';
import { chooseAddresses } from './addresses.ts';
import { cacheFolder } from './binaries/cache-folder.ts';
import { provideBinaries } from './binaries/provide-binaries.ts';
import { connectReplication } from './connect-replication.ts';
import { createNodes } from './create-nodes.ts';
import type { Lab, LabOptions } from './lab.ts';
import { LabError } from './lab-error.ts';
import type { LabSettings } from './lab-options.ts';
import { resolveOptions } from './lab-options.ts';
import type { LabParts } from './lab-parts.ts';
import { Keeper } from './processes/keeper.ts';
import type { Progress } from './progress.ts';
import { createProgress } from './progress.ts';
import { LabRedis } from './redis.ts';
import { Relay } from './relay/relay.ts';
import { RunningLab } from './running-lab.ts';
import { provideTemplate } from './template.ts';
import { vendors } from './vendors/vendors.ts';
import { Vip } from './vip.ts';

/**
 * Starts two masters in circular replication behind a movable address, their replicas and Redis, as child processes
 * on loopback. All of it ends with `stop()`, or when this process ends in whatever way.
 *
 * MariaDB or MySQL, and Redis, are used where found; on Debian and Ubuntu they are fetched where missing (as root
 * with `apt-get install`, else into a cache folder).
 *
 * @throws LabError if a program is missing and cannot be fetched, or a server does not start
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const settings = resolveOptions(options);
  const keeper = new Keeper();
  try {
    return await assemble(settings, createProgress(settings.onProgress), keeper);
  } catch (error) {
    // What failed is the news; a failure to clean up is not.
    await keeper.finish().catch(() => {});
    throw error;
  }
}

async function assemble(settings: LabSettings, progress: Progress, keeper: Keeper): Promise<Lab> {
  const { server: binary, redis: redisBinary } = await provideBinaries(settings, progress, keeper);
  const began = performance.now();
  const vendor = vendors[binary.vendor];
  const addresses = await chooseAddresses(settings.replicas + 2);
  const folder = join(tmpdir(), `vipsql-lab-${randomBytes(4).toString('hex')}`);
  // Before it exists: whenever this process ends, somebody knows about the folder.
  keeper.removeAtEnd(folder);
  await mkdir(folder, { mode: 0o700 });

  const relay = new Relay(addresses.vip, keeper);
  const template = await provideTemplate({
    vendor,
    binary,
    accounts,
    progress,
    cacheFolder: cacheFolder(),
    labFolder: folder,
    keeper,
  });
  const [a, b, ...replicas] = await createNodes({
    vendor,
    binary,
    addresses: addresses.servers,
    folder,
    template,
    keeper,
    serverOptions: settings.serverOptions,
    onEnd: () => {
      // Whoever killed the holder of the VIP: its address refuses from now on. (The relay itself may be gone.)
      parts.vip.refresh().catch(() => {});
    },
  });
  if (a === undefined || b === undefined) throw new LabError('a lab has two masters');
  const redis =
    redisBinary && (await LabRedis.create(redisBinary, { address: addresses.redis, folder, keeper }));
  const parts: LabParts = {
    vendor,
    accounts,
    semiSync: settings.semiSync,
    masters: [a, b],
    replicas,
    redis,
    vip: new Vip(relay, a),
    vipAddress: addresses.vip,
    keeper,
    progress,
  };
  progress.step(
    `starting ${binary.vendor} ${binary.version}: 2 masters, ${replicas.length} replicas, in ${folder}`,
  );
  await Promise.all([...[a, b, ...replicas].map((node) => node.start()), redis?.start()]);
  await connectReplication(parts);
  const { host, port } = addresses.vip;
  progress.step(`replicating after ${Math.round(performance.now() - began)} ms; the VIP is ${host}:${port}`);
  return new RunningLab({ parts, version: binary.version, relay });
}
