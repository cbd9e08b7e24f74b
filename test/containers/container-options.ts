import { LabError } from '../../src/testing/lab-error.ts';
import type { ContainerLabOptions } from './container-lab.ts';

/** {@link ContainerLabOptions} with every default in place. */
export type ContainerLabSettings = Required<Omit<ContainerLabOptions, 'onProgress'>> &
  Pick<ContainerLabOptions, 'onProgress'>;

const known: Readonly<Record<keyof ContainerLabOptions, true>> = {
  vendor: true,
  replicas: true,
  redis: true,
  semiSync: true,
  serverOptions: true,
  nameResolve: true,
  onProgress: true,
};

/** Checks the options and fills in the defaults. */
export function resolveOptions(options: ContainerLabOptions): ContainerLabSettings {
  const unknown = Object.keys(options).find((key) => !(key in known));
  if (unknown !== undefined) throw new LabError(`startContainerLab: unknown option ${unknown}`);
  const defaults = { replicas: 2, redis: true, semiSync: true, serverOptions: [], nameResolve: false };
  return { ...defaults, ...options };
}
