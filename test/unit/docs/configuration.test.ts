import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CachedHandleOptions } from '../../../src/config/cached-options.ts';
import type {
  CallOptions,
  PrimaryOptions,
  ReplicaOptions,
  SessionOptions,
  TransactionOptions,
} from '../../../src/config/call-options.ts';
import { options } from '../../../src/config/defaults.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import { clusterSchema } from '../../../src/config/schema.ts';
import { variableProblem } from '../../../src/config/session-variables.ts';
import { keysBelow } from '../../../src/config/suggest.ts';
import type {
  CacheConfig,
  ClusterConfig,
  ReplicaAddressObject,
  ReplicaDnsObject,
  TlsOptions,
} from '../../../src/config/types.ts';
import { ConfigError } from '../../../src/errors/errors.ts';
import { expectedRows } from './option-rows.ts';

const doc = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
const [clusterPart = '', callPart = ''] = doc.split('## Options of one call');
const rows = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('| `'));

describe('docs/configuration.md', () => {
  it('has a row for every option, with its type, bounds, default, effect and off', () => {
    const missing = expectedRows().filter((row) => !rows(clusterPart).includes(row));
    expect(missing).toEqual([]);
  });

  it('has no row for an option that does not exist, and none twice', () => {
    const optionRows = rows(clusterPart).filter((row) => row.split('|').length === 7);
    expect([...optionRows].sort()).toEqual([...expectedRows()].sort());
  });

  it('names only variables that are refused', () => {
    const table = doc.slice(doc.indexOf('| variable | why |'), doc.indexOf('The collations with'));
    const names = rows(table).flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`([a-z_]+)`/g)].map(([, name = '']) => name),
    );
    expect(names.length).toBeGreaterThan(8);
    for (const name of names)
      expect(variableProblem(name, name === 'sql_mode' ? 'ANSI' : 1), name).toBeDefined();
  });

  it('lists the options of calls and transactions', () => {
    const call: Record<keyof CallOptions, true> = {
      timeoutMs: true,
      signal: true,
      idempotent: true,
      prepare: true,
      schema: true,
      json: true,
      insideTransaction: true,
    };
    const primary: Record<Exclude<keyof PrimaryOptions, keyof CallOptions>, true> = { invalidates: true };
    const cached: Record<keyof CachedHandleOptions, true> = {
      ttlMs: true,
      negativeTtlMs: true,
      staleMs: true,
      tags: true,
      tables: true,
      key: true,
    };
    const replica: Record<Exclude<keyof ReplicaOptions, keyof CallOptions>, true> = {
      consistency: true,
      after: true,
      maxLagMs: true,
    };
    const session: Record<keyof SessionOptions, true> = { token: true };
    const transaction: Record<keyof TransactionOptions, true> = {
      isolation: true,
      readOnly: true,
      timeoutMs: true,
      signal: true,
      retry: true,
      exactlyOnce: true,
    };
    const named = rows(callPart).map((row) => /`(\w+)`/.exec(row)?.[1]);
    expect(named).toEqual(
      [call, primary, replica, cached, session, transaction].flatMap((options) => Object.keys(options)),
    );
  });
});

describe('the table of options and the schema', () => {
  /** What the schema says of a value that fits nowhere, at the path of an option. */
  function ruleAt(path: string): string | undefined {
    const wrong = Symbol('wrong');
    const [head = '', ...rest] = path.split('.');
    const inner = rest.reduceRight<unknown>((value, name) => ({ [name]: value }), wrong);
    const entry = path.includes('refreshMs') || path.endsWith('dns') ? { dns: 'x' } : {};
    const value = head.endsWith('[]') ? [Object.assign(entry, inner)] : inner;
    try {
      resolveConfig({ primary: 'h', user: 'u', [head.replace('[]', '')]: value });
      return undefined;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const at = path.replace('[]', '[0]');
      return error.issues.find((issue) => issue.path === at)?.rule;
    }
  }

  it('agree with the types on the keys of each object', () => {
    const cluster: Record<keyof ClusterConfig, true> = {
      primary: true,
      replicas: true,
      masters: true,
      user: true,
      password: true,
      database: true,
      ssl: true,
      replica: true,
      timezone: true,
      charset: true,
      bigint: true,
      dates: true,
      sessionVariables: true,
      onConnect: true,
      pool: true,
      timeoutMs: true,
      transactionTimeoutMs: true,
      tcpTimeoutMs: true,
      loginTimeoutMs: true,
      failover: true,
      retry: true,
      balance: true,
      breaker: true,
      monitor: true,
      consistency: true,
      lag: true,
      tokens: true,
      fallback: true,
      fallbackMax: true,
      primaryOnly: true,
      exactlyOnce: true,
      cache: true,
    };
    const replica: Record<keyof ReplicaAddressObject | keyof ReplicaDnsObject, true> = {
      host: true,
      port: true,
      socketPath: true,
      weight: true,
      zone: true,
      name: true,
      user: true,
      password: true,
      balanced: true,
      dns: true,
      refreshMs: true,
    };
    const cache: Record<keyof CacheConfig, true> = {
      redis: true,
      memcached: true,
      namespace: true,
      ttlMs: true,
      negativeTtlMs: true,
      staleMs: true,
      earlyRefresh: true,
      readBudgetMs: true,
      writeBudgetMs: true,
      maxBypass: true,
      maxValueBytes: true,
      compressBytes: true,
      tables: true,
      clearable: true,
      l1: true,
      onInvalidationFailure: true,
    };
    const tls: Record<keyof TlsOptions, true> = {
      ca: true,
      cert: true,
      key: true,
      passphrase: true,
      ciphers: true,
      minVersion: true,
      maxVersion: true,
      rejectUnauthorized: true,
      verifyIdentity: true,
    };
    for (const [parent, keys] of [
      ['', cluster],
      ['replicas[]', replica],
      ['ssl', tls],
      ['cache', cache],
    ] as const) {
      expect([...keysBelow(parent)].sort()).toEqual(Object.keys(keys).sort());
    }
    expect(Object.keys(clusterSchema.shape).sort()).toEqual(Object.keys(cluster).sort());
  });

  it.each(Object.keys(options))('agree that there is %s', (path) => {
    expect(ruleAt(path)).toMatch(/^must /);
  });
});
