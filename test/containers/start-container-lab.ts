import { LabError } from '../../src/testing/lab-error.ts';
import type { ContainerLab, ContainerLabOptions } from './container-lab.ts';

/**
 * Starts the lab. Needs Docker and the images that `test/containers/setup.sh` builds.
 *
 * @throws LabError if one of them is missing, or a server does not start
 */
export async function startContainerLab(options: ContainerLabOptions): Promise<ContainerLab> {
  throw new LabError(`the container lab of ${options.vendor} is not there yet`);
}
