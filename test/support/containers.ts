import { getContainerRuntimeClient, ImageName } from 'testcontainers';
import { imageOf } from '../containers/lab-images.ts';
import { isOfThisRun } from '../containers/lab-name.ts';
import { removeLabs } from '../containers/remains.ts';
import { withoutContainers } from './without-containers.ts';

/** Finds out whether container labs can run. Where they must, as in CI, it is an error that they cannot. */
export async function setup(): Promise<void> {
  process.env.VIPSQL_TEST_RUN = `${process.pid}x${Date.now()}`;
  const reason = await whatIsMissing();
  if (reason === undefined) return;
  if (process.env.VIPSQL_REQUIRE_CONTAINERS) throw new Error(`the container tests cannot run: ${reason}`);
  process.env[withoutContainers] = reason;
}

/** Says what did not run; fails the run when a container or a network has outlived it. */
export async function teardown(): Promise<void> {
  const reason = process.env[withoutContainers];
  if (reason !== undefined) {
    process.stderr.write(
      `\nThe container tests (test/containers: real keepalived) did not run: ${reason}. ` +
        'test/containers/setup.sh sets them up on Debian.\n',
    );
    return;
  }
  const left = await removeLabs(isOfThisRun);
  if (left.length === 0) return;
  // An error thrown here would only be printed.
  process.exitCode = 1;
  process.stderr.write(`\nContainer labs left behind by the test run, now removed:\n${left.join('\n')}\n`);
}

async function whatIsMissing(): Promise<string | undefined> {
  const runtime = await getContainerRuntimeClient().catch(() => undefined);
  if (runtime === undefined) return 'no Docker daemon answers';
  for (const vendor of ['mariadb', 'mysql'] as const) {
    const image = imageOf(vendor);
    if (!(await runtime.image.exists(ImageName.fromString(image)))) return `the image ${image} is not built`;
  }
  return undefined;
}
