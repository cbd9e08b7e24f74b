import { isOfThisRun } from '../containers/lab-name.ts';
import { removeLabs } from '../containers/remains.ts';
import { whatIsMissing } from '../containers/requirements.ts';
import { withoutContainers } from './without-containers.ts';

/** Finds out whether container labs can run. Where they must, as in CI, their tests run, and fail, all the same. */
export async function setup(): Promise<void> {
  process.env.VIPSQL_TEST_RUN = `${process.pid}x${Date.now()}`;
  const reason = await whatIsMissing();
  if (reason !== undefined && !process.env.VIPSQL_REQUIRE_CONTAINERS) process.env[withoutContainers] = reason;
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
  const left = await removeLabs(isOfThisRun).catch(() => []);
  if (left.length === 0) return;
  // An error thrown here would only be printed.
  process.exitCode = 1;
  process.stderr.write(`\nContainer labs left behind by the test run, now removed:\n${left.join('\n')}\n`);
}
