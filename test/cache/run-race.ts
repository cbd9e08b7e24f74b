import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startLab } from '../../src/testing/index.ts';
import { replaceSection } from '../chaos/doc-section.ts';
import { createRaced, type RaceCache, race } from './race.ts';
import { openPeer, peerNames } from './race-peers.ts';
import { openVipsql } from './race-vipsql.ts';
import { racedStores } from './raced-stores.ts';

/** `npm run check:cache-race -- [--write]`: an invalidation during a load, with vipsql and with other caches. */
const { values } = parseArgs({
  options: {
    /** Puts the table into docs/cache.md. */
    write: { type: 'boolean', default: false },
  },
});

await using lab = await startLab({ redis: true, replicas: 1, onProgress: () => {} });
await createRaced(lab);

await using stores = await racedStores(lab);
const contenders: readonly [string, () => Promise<RaceCache>][] = [
  ...peerNames.map((name): [string, () => Promise<RaceCache>] => [name, async () => openPeer(lab, name)]),
  ...stores.raced.map(({ store, cache, by }): [string, () => Promise<RaceCache>] => [
    `vipsql \`invalidate({ ${by} })\`, ${store}`,
    () => openVipsql(lab, cache, by),
  ]),
];

const lines = ['| cache, call | read while the old load runs | read afterwards |', '|---|---|---|'];
let failed = false;
for (const [index, [name, open]] of contenders.entries()) {
  const cache = await open();
  const { meanwhile, later } = await race(lab, cache, index + 1);
  await cache.close();
  failed ||= name.startsWith('vipsql') && (meanwhile !== 2 || later !== 2);
  lines.push(`| ${name} | ${shown(meanwhile)} | ${shown(later)} |`);
}
const table = lines.join('\n');
console.log(table);
if (values.write) {
  const path = fileURLToPath(new URL('../../docs/cache.md', import.meta.url));
  writeFileSync(path, replaceSection(readFileSync(path, 'utf8'), 'race', table));
}
process.exitCode = failed ? 1 : 0;

function shown(value: number): string {
  return value === 2 ? 'new' : '**old**';
}
