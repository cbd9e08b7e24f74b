import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ShopFixture } from './shop-fixture.ts';

const serverFile = fileURLToPath(new URL('../../../examples/inventory/server.ts', import.meta.url));

let shop: ShopFixture;
let server: ChildProcess | undefined;

beforeEach(async () => {
  shop = await ShopFixture.open('mariadb');
  await shop.stockUp({ 'FORK-1': 10 });
});

afterEach(async () => {
  server?.kill('SIGKILL');
  await shop?.[Symbol.asyncDispose]();
});

/** Starts the stand-alone service on the lab; gives its URL. */
async function startServer(): Promise<{ readonly process: ChildProcess; readonly url: string }> {
  const { lab } = shop;
  const { primary, replicas, user, password, database } = lab.config();
  const child = spawn(process.execPath, ['--import', 'tsx', serverFile], {
    env: {
      ...process.env,
      VIP: primary,
      REPLICAS: replicas.join(','),
      DB_USER: user,
      DB_PASSWORD: password,
      DB_NAME: database,
      PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  server = child;
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /listening at (http:[^"]+)/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout.resume();
    return { process: child, url };
  }
  throw new Error('the server ended before it listened');
}

test('the stand-alone service becomes ready, and on SIGTERM answers what was asked and ends', async () => {
  const { process: child, url } = await startServer();
  const ended = once(child, 'exit');
  expect((await fetch(`${url}/ready`)).status).toBe(200);

  // The commit waits for the standby, so that the order is under way when the signal comes.
  await shop.lab.fault({ kind: 'stop-receiver', server: 'b' });
  const order = fetch(`${url}/orders/${randomUUID()}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ customer: 'ann', lines: [{ sku: 'FORK-1', qty: 1 }] }),
  });
  await sleep(500);
  child.kill('SIGTERM');
  await sleep(200);
  await shop.lab.fault({ kind: 'start-receiver', server: 'b' });

  expect((await order).status).toBe(201);
  expect(await ended).toEqual([0, null]);
});
