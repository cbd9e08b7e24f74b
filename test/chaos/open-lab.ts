import { type Lab, type LabVendor, startLab } from '../../src/testing/index.ts';
import { startContainerLab } from '../containers/start-container-lab.ts';
import { startProber } from '../containers/start-prober.ts';
import type { VipProber } from '../containers/vip-prober.ts';
import { behindEpisode, containerEpisodes } from './container-episodes.ts';
import { embeddedEpisodes } from './embedded-episodes.ts';
import { type Fault, faultsOf } from './fault.ts';

/** The lab on loopback with its stand-in for the VIP, or the one in containers with keepalived. */
export type LabKind = 'embedded' | 'containers';

/** A lab to break, and somebody who watches its VIP. */
export interface OpenLab extends AsyncDisposable {
  readonly lab: Lab;
  readonly prober: VipProber;
  /** Everything that can go wrong in it. */
  readonly faults: readonly Fault[];
}

export interface OpenLabOptions {
  readonly vendor: LabVendor;
}

/** On Linux all of 127.0.0.0/8 is this machine; elsewhere only the usual address is. */
const loopback = process.platform === 'linux' ? '127.0.0.77' : '127.0.0.1';

export async function openLab(kind: LabKind, options: OpenLabOptions): Promise<OpenLab> {
  if (kind === 'embedded') {
    const lab = await startLab(options);
    return withProber(lab, await startProber(lab.vip, [loopback]), faultsOf(lab, embeddedEpisodes));
  }
  const lab = await startContainerLab(options);
  return withProber(lab, await lab.startProber(), faultsOf(lab, containerEpisodes));
}

/** The container lab with asynchronous replication, and the faults that lose writes there. */
export async function openAsynchronousLab(vendor: LabVendor): Promise<OpenLab> {
  const lab = await startContainerLab({ vendor, semiSync: false });
  const episodes = [...containerEpisodes.filter(({ movesVip }) => movesVip), behindEpisode];
  return withProber(lab, await lab.startProber(), faultsOf(lab, episodes));
}

function withProber(lab: Lab, prober: VipProber, faults: readonly Fault[]): OpenLab {
  return {
    lab,
    prober,
    faults,
    [Symbol.asyncDispose]: async () => {
      await prober.stop();
      await lab.stop();
    },
  };
}
