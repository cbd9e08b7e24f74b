import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import express from 'express';
import Fastify from 'fastify';
import {
  type HttpSessionOptions,
  sessionListener,
  sessionMiddleware,
  sessionPlugin,
} from '../../../src/adapters/http/index.ts';
import type { Cluster } from '../../../src/index.ts';
import { sleep } from '../../support/eventually.ts';

export const appKinds = ['node:http', 'Express', 'Fastify'] as const;

export type AppKind = (typeof appKinds)[number];

export interface App {
  readonly url: string;
  close(): Promise<void>;
}

/** What the applications under test do, whatever they are built with. */
class NotesService {
  readonly #db: Cluster;

  constructor(db: Cluster) {
    this.#db = db;
  }

  async write(id: number): Promise<object> {
    await this.#db.primary().execute('INSERT INTO notes (id) VALUES (?)', [id]);
    await sleep(1);
    return { id };
  }

  async read(id: number): Promise<object> {
    const { rows, server } = await this.#db
      .replica()
      .queryWithInfo('SELECT id FROM notes WHERE id = ?', [id]);
    return { found: rows.length === 1, server };
  }

  /** Text that is made of reads while it is sent. */
  async *lines(id: number): AsyncGenerator<string> {
    for (let line = 0; line < 3; line += 1) {
      await sleep(5);
      yield `${JSON.stringify(await this.read(id))}\n`;
    }
  }
}

export async function startApp(kind: AppKind, db: Cluster, options: HttpSessionOptions = {}): Promise<App> {
  const notes = new NotesService(db);
  switch (kind) {
    case 'node:http':
      return await listen(createServer(sessionListener(db, nodeListener(notes), options)));
    case 'Express':
      return await listen(createServer(expressApp(notes, db, options)));
    case 'Fastify':
      return await startFastify(notes, db, options);
  }
}

export async function listen(server: Server): Promise<App> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function nodeListener(notes: NotesService): RequestListener {
  return (request, response) => {
    const id = Number(new URL(request.url ?? '', 'http://x').searchParams.get('id'));
    const path = request.url?.split('?')[0];
    const send = (body: Promise<object>): void => {
      void body.then((answer) => response.end(JSON.stringify(answer)));
    };
    if (path === '/lines') {
      Readable.from(notes.lines(id)).pipe(response);
    } else if (request.method === 'POST') {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => send(notes.write(JSON.parse(text).id)));
    } else if (path === '/notes') {
      send(notes.read(id));
    } else {
      const status = Number(path?.slice('/write/'.length));
      void notes.write(id).then(() => response.writeHead(status, { 'Set-Cookie': 'own=1' }).end());
    }
  };
}

function expressApp(notes: NotesService, db: Cluster, options: HttpSessionOptions): RequestListener {
  const app = express();
  const middleware = sessionMiddleware(db, options);
  app.use(middleware, middleware, express.json());
  app.get('/notes', async (request, response) => {
    response.json(await notes.read(Number(request.query.id)));
  });
  app.post('/notes', async (request, response) => {
    response.json(await notes.write(request.body.id));
  });
  app.get('/lines', (request, response) => {
    Readable.from(notes.lines(Number(request.query.id))).pipe(response);
  });
  app.get('/write/:status', async (request, response) => {
    await notes.write(Number(request.query.id));
    response.cookie('own', '1').status(Number(request.params.status)).end();
  });
  app.get('/throws', async (request) => {
    await notes.write(Number(request.query.id));
    throw new Error('on purpose');
  });
  app.use(((_error, _request, response, _next) => {
    response.status(500).json({ error: 'on purpose' });
  }) satisfies express.ErrorRequestHandler);
  return app;
}

async function startFastify(notes: NotesService, db: Cluster, options: HttpSessionOptions): Promise<App> {
  const app = Fastify();
  await app.register(sessionPlugin(db, options));
  interface Query {
    Querystring: { id: string };
    Params: { status: string };
    Body: { id: number };
  }
  app.get<Query>('/notes', ({ query }) => notes.read(Number(query.id)));
  app.post<Query>('/notes', ({ body }) => notes.write(body.id));
  app.get<Query>('/lines', ({ query }, reply) => reply.send(Readable.from(notes.lines(Number(query.id)))));
  app.get<Query>('/write/:status', async ({ query, params }, reply) => {
    await notes.write(Number(query.id));
    return reply.header('set-cookie', 'own=1').code(Number(params.status)).send();
  });
  app.get<Query>('/throws', async ({ query }) => {
    await notes.write(Number(query.id));
    throw new Error('on purpose');
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    close: () => {
      app.server.closeAllConnections();
      return app.close();
    },
  };
}
