import { Redis } from 'ioredis';
import type { RedisClient } from '../../src/index.ts';

/**
 * A client whose records ask for nothing: leases and generations are as they should be, but a load is content with any
 * replica. What is left of the protocol is what other caches have at best, and the checker has to notice.
 */
export function withoutFences(url: string): RedisClient & { disconnect(): void } {
  const client = new Redis(url, { lazyConnect: true });
  return {
    defineCommand: () => {},
    getBuffer: (key) => client.getBuffer(key),
    disconnect: () => client.disconnect(),
    duplicate: (options) => {
      const own = client.duplicate(options);
      const define = own.defineCommand.bind(own);
      own.defineCommand = (name, definition) => {
        define(name, definition);
        if (name !== 'vipsqlOpen') return;
        const scripted = own as unknown as Record<string, (...args: unknown[]) => Promise<string[]>>;
        const open = scripted[name]?.bind(own);
        scripted[name] = async (...args) => {
          const [gen = '', , ...rest] = (await open?.(...args)) ?? [];
          return [gen, '', ...rest];
        };
      };
      return own;
    },
  };
}
