import { availableParallelism, loadavg } from 'node:os';

/** How large this machine is, and how busy it was in the last 1, 5 and 15 minutes. */
export function machineLoad(): string {
  const load = loadavg().map((average) => average.toFixed(1));
  return `${availableParallelism()} cores, load average at the end ${load.join(' ')}`;
}
