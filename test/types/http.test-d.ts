import { createServer } from 'node:http';
import express from 'express';
import Fastify from 'fastify';
import { test } from 'vitest';
import { sessionListener, sessionMiddleware, sessionPlugin } from '../../src/adapters/http/index.ts';
import type { Cluster } from '../../src/index.ts';

declare const db: Cluster;

test('what is made fits Node, Express and Fastify', async () => {
  createServer(sessionListener(db, (_, response) => response.end()));
  express().use(sessionMiddleware(db), express.json());
  await Fastify().register(sessionPlugin(db, { cookie: { name: 'shop', sameSite: 'Strict' } }));
});

test('options know their keys', () => {
  sessionMiddleware(db, { header: 'x-session-token', onInvalid: 'reject' });
  // @ts-expect-error no such option
  sessionMiddleware(db, { cookies: {} });
  // @ts-expect-error not a value of SameSite
  sessionMiddleware(db, { cookie: { sameSite: 'lax' } });
});
