import { createServer, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type HttpSessionOptions, sessionListener } from '../../../src/adapters/http/index.ts';
import type { Cluster } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { Notes } from '../consistency/notes.ts';
import { type App, type AppKind, appKinds, listen, startApp } from './apps.ts';
import { ask } from './client.ts';

const settings = { consistency: { waitMs: 200 }, tokens: { secret: 'correct horse battery' } };

describe.each(labVendors)('sessions over HTTP on %s', (vendor) => {
  let lab: Lab;
  let notes: Notes;
  const apps: App[] = [];

  beforeAll(async () => {
    lab = await startLab({ vendor, redis: false, replicas: 1 });
    notes = await Notes.create(lab);
  });
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
    await lab.heal();
  });
  afterAll(() => lab?.stop());

  /** The replicas stand still, so that only the primary has what is written from now on. */
  const stand = (): Promise<void> => notes.stopAppliers(...lab.replicas);

  async function start(kind: AppKind, options?: HttpSessionOptions): Promise<string> {
    const app = await startApp(kind, await notes.open(settings), options);
    apps.push(app);
    return app.url;
  }

  async function startListener(listener: (db: Cluster) => RequestListener): Promise<string> {
    const db = await notes.open(settings);
    const app = await listen(createServer(sessionListener(db, listener(db))));
    apps.push(app);
    return app.url;
  }

  describe.each(appKinds)('with %s', (kind) => {
    test('take what one process has written to the next request, in another one', async () => {
      const [one, other] = [await start(kind), await start(kind)];
      await stand();
      const id = notes.nextId();
      const written = await ask(`${one}/notes`, { method: 'POST', body: { id } });
      expect(written.json).toEqual({ id });
      const [cookie = ''] = written.cookies;
      expect(written.headers['set-cookie']).toEqual([
        expect.stringMatching(/^vipsql=v1\.[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/),
      ]);

      expect((await ask(`${other}/notes?id=${id}`)).json).toMatchObject({ found: false });
      const read = await ask(`${other}/notes?id=${id}`, { headers: { cookie: `a=1; ${cookie}` } });
      expect(read.json).toEqual({ found: true, server: notes.primary });
    });

    test('take it in a header where that is asked for', async () => {
      const header = 'X-Session-Token';
      const [one, other] = [await start(kind, { header }), await start(kind, { header })];
      await stand();
      const id = notes.nextId();
      const written = await ask(`${one}/notes`, { method: 'POST', body: { id } });
      const token = String(written.headers['x-session-token']);
      expect(written.cookies).toEqual([]);
      const read = await ask(`${other}/notes?id=${id}`, { headers: { 'x-session-token': token } });
      expect(read.json).toEqual({ found: true, server: notes.primary });
    });

    test.each([200, 204, 304])(
      'reach the client with an answer of %i, beside its own cookies',
      async (status) => {
        const [one, other] = [await start(kind), await start(kind)];
        await stand();
        const id = notes.nextId();
        const written = await ask(`${one}/write/${status}?id=${id}`);
        expect([written.status, written.text]).toEqual([status, '']);
        expect(written.cookies).toEqual(['own=1', expect.stringMatching(/^vipsql=v1\./)]);
        const cookie = written.cookies.join('; ');
        expect((await ask(`${other}/notes?id=${id}`, { headers: { cookie } })).json).toMatchObject({
          found: true,
        });
      },
    );

    test('reach the client that asks for the head only', async () => {
      const url = await start(kind);
      const written = await ask(`${url}/write/200?id=${notes.nextId()}`, { method: 'HEAD' });
      expect(written.cookies).toContainEqual(expect.stringMatching(/^vipsql=v1\./));
    });

    test('hold while an answer is streamed', async () => {
      const url = await start(kind);
      await stand();
      const id = notes.nextId();
      const { cookies } = await ask(`${url}/notes`, { method: 'POST', body: { id } });
      const { text } = await ask(`${url}/lines?id=${id}`, { headers: { cookie: cookies.join() } });
      const line = `${JSON.stringify({ found: true, server: notes.primary })}\n`;
      expect(text).toBe(line.repeat(3));
    });

    test('are told of again only when there is something new', async () => {
      const url = await start(kind);
      const id = notes.nextId();
      const { cookies } = await ask(`${url}/notes`, { method: 'POST', body: { id } });
      let cookie = cookies.join();
      const seen: (readonly string[])[] = [];
      for (let i = 0; i < 3; i += 1) {
        const read = await ask(`${url}/notes?id=${id}`, { headers: { cookie } });
        expect(read.json).toMatchObject({ found: true });
        seen.push(read.cookies);
        cookie = read.cookies[0] ?? cookie;
      }
      expect(seen.at(-1)).toEqual([]);
    });

    test.each([
      ['broken', 'nonsense'],
      ['unsigned', 'v1.bWFyaWFkYjs7Ow'],
      ['endless', `v1.${'a'.repeat(5_000)}`],
    ])('begin anew with a token that is %s', async (_, token) => {
      const url = await start(kind);
      const id = notes.nextId();
      const cookie = `vipsql=${token}`;
      expect((await ask(`${url}/notes?id=${id}`, { headers: { cookie } })).json).toMatchObject({
        found: false,
      });
      const written = await ask(`${url}/notes`, { method: 'POST', body: { id }, headers: { cookie } });
      expect(written.cookies).toEqual([expect.stringMatching(/^vipsql=v1\./)]);
    });

    test('are refused with a broken token where that is asked for, and the client forgets it', async () => {
      const url = await start(kind, { onInvalid: 'reject' });
      const refused = await ask(`${url}/notes?id=1`, { headers: { cookie: 'vipsql=nonsense' } });
      expect(refused.status).toBe(400);
      expect(refused.text).toContain('The session token of this request cannot be used.');
      expect(refused.headers['set-cookie']).toEqual([expect.stringMatching(/^vipsql=; .*Max-Age=0/)]);
      expect((await ask(`${url}/notes?id=1`)).status).toBe(200);
    });

    test('of requests at the same time stay apart', async () => {
      const url = await start(kind);
      await stand();
      const ids = Array.from({ length: 10 }, () => notes.nextId());
      const written = await Promise.all(
        ids.map((id) => ask(`${url}/notes`, { method: 'POST', body: { id } })),
      );
      const reads = await Promise.all([
        ...ids.map((id, i) =>
          ask(`${url}/notes?id=${id}`, { headers: { cookie: written[i]?.cookies.join() ?? '' } }),
        ),
        ask(`${url}/notes?id=${ids[0]}`),
      ]);
      expect(reads.map(({ json }) => json.found)).toEqual([...ids.map(() => true), false]);
    });
  });

  test.each(['Express', 'Fastify'] as const)(
    'with %s reach the client when a handler throws',
    async (kind) => {
      const [one, other] = [await start(kind), await start(kind)];
      await stand();
      const id = notes.nextId();
      const failed = await ask(`${one}/throws?id=${id}`);
      expect(failed.status).toBe(500);
      const read = await ask(`${other}/notes?id=${id}`, { headers: { cookie: failed.cookies.join() } });
      expect(read.json).toMatchObject({ found: true });
    },
  );

  test('cannot tell of what is written after the headers have gone', async () => {
    const url = await startListener((db) => async (_, response) => {
      response.flushHeaders();
      await notes.write(db);
      response.end();
    });
    expect((await ask(url)).cookies).toEqual([]);
  });

  test('carry what the handler has written when they are set up twice', async () => {
    const url = await startListener((db) => {
      const inner = sessionListener(db, async ({ url: path = '' }, response) => {
        const id = Number(path.slice('/'.length));
        const body = id > 0 ? await notes.read(db, id) : { id: await notes.write(db) };
        response.writeHead(200, null as never).end(JSON.stringify(body));
      });
      return async (request, response) => {
        if (request.url === '/') await notes.write(db);
        await inner(request, response);
      };
    });
    await stand();
    const { json, cookies } = await ask(url);
    const { id } = json as { id: number };
    const [cookie = ''] = cookies;
    expect((await ask(`${url}/${id}`, { headers: { cookie } })).json).toMatchObject({ found: true });
  });

  test('leave it to Node to refuse headers that are written twice', async () => {
    const url = await startListener((db) => async (_, response) => {
      await notes.write(db);
      response.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
      try {
        response.writeHead(500, { 'x-second': '1' });
      } catch (error) {
        response.end(JSON.stringify({ code: (error as NodeJS.ErrnoException).code }));
      }
    });
    const { status, json, headers, cookies } = await ask(url);
    expect([status, json, headers['x-second']]).toEqual([200, { code: 'ERR_HTTP_HEADERS_SENT' }, undefined]);
    expect(cookies).toEqual(['a=1', 'b=2', expect.stringMatching(/^vipsql=/)]);
  });

  test('go out once when the first attempt to write headers has failed', async () => {
    const url = await startListener((db) => async (_, response) => {
      await notes.write(db);
      try {
        response.writeHead(9_999, 'Odd', { 'x-first': '1' });
      } catch {
        response.writeHead(503, 'Busy').end();
      }
    });
    const { status, cookies } = await ask(url);
    expect([status, cookies]).toEqual([503, [expect.stringMatching(/^vipsql=/)]]);
  });

  test('end with a client that goes away, and the next one is served', async () => {
    let ended: (() => void) | undefined;
    const settled = new Promise<void>((resolve) => {
      ended = resolve;
    });
    let began = false;
    const id = notes.nextId();
    const url = await startListener((db) => async (request, response) => {
      if (request.url !== '/slow') {
        response.end(JSON.stringify({ token: db.token() !== undefined }));
        return;
      }
      began = true;
      await new Promise((resolve) => response.once('close', resolve));
      await db.primary().execute('INSERT INTO notes (id) VALUES (?)', [id]);
      expect(db.token()).toBeDefined();
      response.end();
      ended?.();
    });
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1', () =>
      socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n'),
    );
    await eventually('the handler began', () => began);
    socket.destroy();
    await settled;
    expect((await ask(url)).json).toEqual({ token: false });
  });
});
