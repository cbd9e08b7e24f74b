import { getContainerRuntimeClient, ImageName } from 'testcontainers';
import { imageOf } from './lab-images.ts';

/** What this machine lacks to run container labs, in words; undefined if nothing. */
export async function whatIsMissing(): Promise<string | undefined> {
  const runtime = await getContainerRuntimeClient().catch(() => undefined);
  if (runtime === undefined) return 'no Docker daemon answers';
  for (const vendor of ['mariadb', 'mysql'] as const) {
    const image = imageOf(vendor);
    if (!(await runtime.image.exists(ImageName.fromString(image)))) return `the image ${image} is not built`;
  }
  return undefined;
}
