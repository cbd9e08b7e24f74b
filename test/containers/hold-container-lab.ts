import { Bridge } from './bridge.ts';
import { imageOf } from './lab-images.ts';
import { newLabName } from './lab-name.ts';
import { startNetwork } from './lab-network.ts';

/** Starts what a lab begins with, prints its name and waits to be killed. */
process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
const labName = newLabName();
await Bridge.start(imageOf('mariadb'), labName, await startNetwork(labName));
process.stdout.write(labName);
setInterval(() => {}, 1_000);
