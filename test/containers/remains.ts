import { getContainerRuntimeClient } from 'testcontainers';
import { isAbandoned, labLabel } from './lab-name.ts';

/** Removes the containers and the network of every lab that is meant, and gives their names. */
export async function removeLabs(isMeant: (labName: string) => boolean): Promise<string[]> {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const containers = await dockerode.listContainers({ all: true, filters: { label: [labLabel] } });
  const networks = await dockerode.listNetworks({ filters: { name: ['vipsql-lab_'] } });
  const removed = new Set<string>();
  await Promise.all(
    containers.map(async ({ Id, Labels }) => {
      const lab = Labels[labLabel] ?? '';
      if (!isMeant(lab)) return;
      removed.add(lab);
      await ignoreGone(dockerode.getContainer(Id).remove({ force: true, v: true }));
    }),
  );
  await Promise.all(
    networks.map(async ({ Id, Name }) => {
      if (!isMeant(Name)) return;
      removed.add(Name);
      await ignoreGone(dockerode.getNetwork(Id).remove());
    }),
  );
  return [...removed];
}

/** Removes what processes have left that were killed before they could. */
export function removeAbandonedLabs(): Promise<string[]> {
  return removeLabs(isAbandoned);
}

/** Somebody else may have removed it meanwhile, or be at it. */
async function ignoreGone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    const status = (error as { readonly statusCode?: number }).statusCode;
    if (status !== 404 && status !== 409) throw error;
  }
}
