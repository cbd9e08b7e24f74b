import { setTimeout as sleep } from 'node:timers/promises';
import { MemcachedServer } from '../support/memcached-server.ts';
import { noFacts, type TroubledStore } from './troubled-store.ts';

/** A memcached that is flushed, killed, restarted with what it had, frozen, and loses some of its records. */
export async function fragileMemcached(): Promise<TroubledStore> {
  const server = await MemcachedServer.start(['-e', '{folder}/kept']);
  return {
    cache: { memcached: server.target },
    allowsCopies: false,
    troubles: {
      flush: () => server.ask('flush_all\r\n'),
      evict: (random) => evict(server, random),
      freeze: async (random) => {
        await server.process.freeze();
        // At times for so long that its connections are given up.
        await sleep(random() < 0.8 ? random() * 400 : 2_500);
        server.process.thaw();
      },
      restart: () => server.restart(),
      warmRestart: () => server.warmRestart(),
    },
    facts: noFacts,
    close: () => server.stop(),
  };
}

/** Deletes records here and there, fences and tags among them. */
async function evict(server: MemcachedServer, random: () => number): Promise<void> {
  const dump = await server.ask('lru_crawler metadump all\r\n', /^(END|BUSY|ERROR)\b/m);
  const keys = [...dump.matchAll(/^key=(\S+)/gm)].map(([, key = '']) => decodeURIComponent(key));
  const victims = keys.filter(() => random() < 0.4);
  if (victims.length > 0)
    await server.ask(
      victims
        .map((key) => `md ${key} q\r\n`)
        .join('')
        .concat('mn\r\n'),
    );
}

/** A memcached with two megabytes of memory, which others fill: it evicts of its own accord. */
export async function crampedMemcached(): Promise<TroubledStore> {
  const server = await MemcachedServer.start(['-m', '2']);
  const value = 'x'.repeat(400);
  let written = 0;
  return {
    cache: { memcached: server.target },
    allowsCopies: false,
    troubles: {
      fill: async () => {
        let commands = '';
        for (let count = 0; count < 2_000; count += 1) {
          written += 1;
          // Of every size that records have.
          const size = (written * 37) % value.length;
          commands += `ms others:${written} ${size} T600 q\r\n${value.slice(0, size)}\r\n`;
        }
        await server.ask(`${commands}mn\r\n`, /^MN\r\n$/m);
      },
    },
    facts: async () => ({ evicted: await server.stat('evictions') }),
    close: () => server.stop(),
  };
}
