// node hold-lab.mjs <module of startLab> <hold | stop | throw>: starts a lab, prints what it consists of and, once its
// standard input ends, keeps it, stops it, or fails without stopping it.
import { text } from 'node:stream/consumers';

const [specifier, then] = process.argv.slice(2);
const { startLab } = await import(specifier);
const lab = await startLab({ replicas: 1 });
await lab.fault({ kind: 'freeze', server: 'r1' });
process.stdout.write(`${JSON.stringify({ logFile: lab.master('a').logFile })}\n`);
await text(process.stdin);
if (then === 'throw') throw new Error('the test program failed');
if (then === 'stop') await lab.stop();
