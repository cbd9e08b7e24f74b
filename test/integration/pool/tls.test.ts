import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, type ClusterConfig, ConnectError } from '../../../src/index.ts';
import { type Lab, startLab } from '../../../src/testing/index.ts';
import { eventually, openCluster, rejection } from '../../support/cluster.ts';
import { labVendors } from '../../support/lab-vendors.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { killAppSessions } from './server-facts.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** The cipher of the session; empty when it is not encrypted. */
async function cipherOf(db: Cluster): Promise<string> {
  // Sessions that were just killed may still be lent.
  const { Value } = await db
    .primary<{ Value: string }>()
    .one("SHOW SESSION STATUS LIKE 'Ssl_cipher'", [], { idempotent: true });
  return Value;
}

async function expectTlsError(db: Cluster, message: RegExp): Promise<void> {
  const began = performance.now();
  const errors = await Promise.all([rejection(db.primary().query('SELECT 1')), rejection(db.ready())]);
  expect(performance.now() - began).toBeLessThan(3_000);
  for (const error of errors) {
    expect(error, String(error)).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ outcome: 'not-executed', message: expect.stringMatching(message) });
  }
}

describe.each(labVendors)('TLS on %s with a certificate of its own authority', (vendor) => {
  let lab: Lab;
  let certificates: Certificates;
  let proxy: TcpProxy;

  beforeAll(async () => {
    certificates = makeCertificates('IP:127.0.0.1');
    lab = await startLab({
      vendor,
      replicas: 0,
      redis: false,
      serverOptions: [...certificates.serverOptions],
    });
    // The address that the certificate is for.
    proxy = await TcpProxy.start(lab.vip);
  });

  afterAll(async () => {
    await proxy.stop();
    await lab.stop();
    rmSync(certificates.folder, { recursive: true });
  });

  const open = (ssl: NonNullable<ClusterConfig['ssl']>, primary = proxy.address): Cluster =>
    openCluster(lab, { primary, ssl, timeoutMs: 8_000 });

  test('an unknown authority is refused at once, and not at the deadline', async () => {
    await expectTlsError(open(true), /certificate/i);
    await expectTlsError(open({ ca: certificates.strangeCa }), /certificate/i);
  });

  test('the given authority and an address that the certificate names are accepted, and encrypted', async () => {
    const db = open({ ca: certificates.ca });
    expect(await cipherOf(db)).toMatch(/TLS|AES|CHACHA/);
    // Resumed TLS sessions are no less encrypted.
    await killAppSessions(lab);
    expect(await cipherOf(db)).toMatch(/TLS|AES|CHACHA/);
    expect(await cipherOf(open({ ca: certificates.ca, minVersion: 'TLSv1.3' }))).toMatch(/^TLS_/);
  });

  test('an address that the certificate does not name is refused, unless verifyIdentity is false', async () => {
    const byName = `localhost:${proxy.port}`;
    await expectTlsError(open({ ca: certificates.ca }, byName), /altname|localhost/i);
    expect(await cipherOf(open({ ca: certificates.ca, verifyIdentity: false }, byName))).not.toBe('');
  });

  test('rejectUnauthorized: false accepts any certificate, and encrypts', async () => {
    expect(await cipherOf(open({ rejectUnauthorized: false }))).not.toBe('');
  });

  test.each(['close', 'reset'] as const)(
    'a line that ends in the middle of the handshake (%s) is an ordinary failure',
    async (afterGreeting) => {
      await using broken = await TcpProxy.start(lab.vip);
      broken.manner = { afterGreeting };
      const db = open({ ca: certificates.ca }, broken.address);
      expect(await rejection(db.primary().query('SELECT 1', [], { timeoutMs: 1_000 }))).toMatchObject({
        outcome: 'not-executed',
      });
      expect(broken.all.length).toBeGreaterThan(3);
      broken.manner = 'forward';
      expect(await cipherOf(db)).not.toBe('');
    },
  );

  test('a greeting that arrives together with a reset is no certificate error', async () => {
    await using broken = await TcpProxy.start(lab.vip);
    broken.manner = { afterGreeting: 'reset' };
    const db = open({ ca: certificates.ca }, broken.address);
    const ready = db.ready({ timeoutMs: 20_000 });
    // The greeting is read only once the reset has arrived too.
    const busy = setInterval(() => {
      const until = performance.now() + 50;
      while (performance.now() < until);
    }, 1);
    try {
      await eventually('three logins are broken', () => broken.all.length > 3);
    } finally {
      clearInterval(busy);
    }
    broken.manner = 'forward';
    await ready;
  });

  test('without ssl the session is not encrypted', async () => {
    const db = openCluster(lab, { primary: proxy.address });
    expect(await cipherOf(db)).toBe('');
  });
});

describe('a certificate for a name', () => {
  let lab: Lab;
  let certificates: Certificates;

  beforeAll(async () => {
    certificates = makeCertificates('DNS:localhost');
    lab = await startLab({ replicas: 0, redis: false, serverOptions: [...certificates.serverOptions] });
  });

  afterAll(async () => {
    await lab.stop();
    rmSync(certificates.folder, { recursive: true });
  });

  test('is accepted at that name and refused at the bare address', async () => {
    await using proxy = await TcpProxy.start(lab.vip);
    const ssl = { ca: certificates.ca };
    expect(await cipherOf(openCluster(lab, { primary: `localhost:${proxy.port}`, ssl }))).not.toBe('');
    await expectTlsError(
      openCluster(lab, { primary: proxy.address, ssl, timeoutMs: 8_000 }),
      /127\.0\.0\.1|altname/i,
    );
  });

  test('leaves a replica that is asked by its address out, with the reason', async () => {
    const db = openCluster(lab, {
      replicas: [lab.master(lab.owner().name === 'a' ? 'b' : 'a').address],
      ssl: { ca: certificates.ca },
      fallback: 'error',
    });
    expect(await rejection(db.replica().query('SELECT 1', [], { timeoutMs: 1_000 }))).toMatchObject({
      outcome: 'not-executed',
      message: expect.stringMatching(/altname|certificate/i),
    });
  });
});

describe('a server that offers no TLS', () => {
  test('is not used when TLS is asked for, and sees neither user nor password', async () => {
    await using lab = await startLab({ replicas: 0, redis: false, serverOptions: ['--skip-ssl'] });
    await using proxy = await TcpProxy.start(lab.vip);
    const db = openCluster(lab, { primary: proxy.address, ssl: true, timeoutMs: 8_000 });
    await expectTlsError(db, /does not support secure/i);
    expect(proxy.all.length).toBeGreaterThan(0);
    for (const { received } of proxy.all) expect(received).toHaveLength(0);
    await db.close();
  });
});
