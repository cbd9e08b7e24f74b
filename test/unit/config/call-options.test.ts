import { describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import {
  type CallOptions,
  checkCallOptions,
  checkReplicaOptions,
  checkSessionOptions,
  checkTransactionOptions,
  type ReplicaOptions,
  type SessionOptions,
  type TransactionOptions,
} from '../../../src/config/call-options.ts';
import { ConfigError } from '../../../src/errors/errors.ts';

function issues(check: () => void): unknown {
  try {
    check();
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  return [];
}

describe('checkCallOptions', () => {
  it('accepts every option, and undefined as absent', () => {
    const all: Required<CallOptions> = {
      timeoutMs: 50,
      signal: new AbortController().signal,
      idempotent: true,
      prepare: false,
      schema: z.object({ id: z.number() }),
      json: ['attributes'],
      insideTransaction: true,
    };
    const none = Object.fromEntries(Object.keys(all).map((name) => [name, undefined]));
    for (const options of [undefined, {}, all, none, { later: undefined } as CallOptions]) {
      expect(issues(() => checkCallOptions(options))).toEqual([]);
    }
  });

  test.each<readonly [string, unknown, RegExp]>([
    ['timeoutMs', 0, /from 1 to/],
    ['timeoutMs', '5', /milliseconds/],
    ['timeoutMs', Number.POSITIVE_INFINITY, /from 1 to/],
    ['signal', {}, /AbortSignal/],
    ['idempotent', 1, /true or false/],
    ['prepare', 'yes', /true or false/],
    ['schema', {}, /zod schema/],
    ['json', 'attributes', /list of column names/],
    ['json', [1], /list of column names/],
    ['insideTransaction', null, /true or false/],
    ['exactlyOnce', true, /is not an option/],
    ['invalidates', {}, /is not an option/],
    ['timeout', 5, /did you mean `timeoutMs`/],
    ['idempotnet', true, /did you mean `idempotent`/],
    ['constructor', 1, /is not an option/],
    ['zzz', 1, /there are `timeoutMs`/],
  ])('refuses %s: %o', (name, value, rule) => {
    expect(issues(() => checkCallOptions({ [name]: value }))).toEqual([
      { path: name, rule: expect.stringMatching(rule), received: expect.any(String) },
    ]);
  });

  it('names all mistakes at once', () => {
    const wrong = { timeoutMs: 0, prepare: 1 } as unknown as CallOptions;
    expect(issues(() => checkCallOptions(wrong))).toHaveLength(2);
  });

  it.each([5, 'text', [], null])('refuses %o as options', (wrong) => {
    expect(issues(() => checkCallOptions(wrong as CallOptions))).toMatchObject([{ path: 'options' }]);
  });
});

describe('checkReplicaOptions', () => {
  it('accepts what any call takes, and its own', () => {
    const own: Required<Omit<ReplicaOptions, keyof CallOptions>> = {
      consistency: 'strong',
      after: 'v1.x',
      maxLagMs: 1_500,
    };
    for (const options of [undefined, own, { timeoutMs: 50, ...own }]) {
      expect(issues(() => checkReplicaOptions(options))).toEqual([]);
    }
  });

  test.each<readonly [string, unknown, RegExp]>([
    ['consistency', 'bounded', /'eventual', 'session' or 'strong'/],
    ['after', 7, /must be a token/],
    ['maxLagMs', 0, /from 1 to/],
    ['timeoutMs', 0, /from 1 to/],
  ])('refuses %s: %o', (name, value, rule) => {
    expect(issues(() => checkReplicaOptions({ [name]: value }))).toEqual([
      { path: name, rule: expect.stringMatching(rule), received: expect.any(String) },
    ]);
  });

  it('knows options that other calls do not take', () => {
    expect(issues(() => checkCallOptions({ consistency: 'strong' } as CallOptions))).toHaveLength(1);
  });
});

describe('checkSessionOptions', () => {
  it('accepts a token, and shows no wrong one', () => {
    const all: Required<SessionOptions> = { token: 'v1.x' };
    expect(issues(() => checkSessionOptions(all))).toEqual([]);
    expect(issues(() => checkSessionOptions({ token: 7 } as unknown as SessionOptions))).toEqual([
      { path: 'token', rule: 'must be a token', received: '[redacted]' },
    ]);
  });
});

describe('checkTransactionOptions', () => {
  it('accepts every option', () => {
    const all: Required<TransactionOptions> = {
      isolation: 'read committed',
      readOnly: true,
      timeoutMs: 100,
      signal: new AbortController().signal,
      retry: false,
      exactlyOnce: false,
    };
    expect(issues(() => checkTransactionOptions(all))).toEqual([]);
    for (const exactlyOnce of [true, { key: 'k' }, { key: 'x'.repeat(200) }, undefined]) {
      expect(issues(() => checkTransactionOptions({ exactlyOnce } as TransactionOptions))).toEqual([]);
    }
    expect(issues(() => checkTransactionOptions(undefined))).toEqual([]);
  });

  it.each([true, { key: 'k' }])('refuses exactlyOnce: %o for what is read-only', (exactlyOnce) => {
    const options = { exactlyOnce, readOnly: true } as TransactionOptions;
    expect(issues(() => checkTransactionOptions(options))).toMatchObject([
      { path: 'exactlyOnce', rule: expect.stringMatching(/`readOnly`/) },
    ]);
  });

  test.each<readonly [string, unknown, RegExp]>([
    ['isolation', 'READ COMMITTED', /'read committed'/],
    ['readOnly', 1, /true or false/],
    ['retry', 3, /true or false/],
    ['exactlyOnce', 'order-1', /true, false or \{ key \}/],
    ['exactlyOnce', {}, /1 to 200 bytes/],
    ['exactlyOnce', { key: '' }, /1 to 200 bytes/],
    ['exactlyOnce', { key: 5 }, /1 to 200 bytes/],
    ['exactlyOnce', { key: 'ü'.repeat(101) }, /1 to 200 bytes/],
    ['exactlyOnce', { key: 'k', ttlMs: 5 }, /true, false or/],
    ['exactlyOnce', null, /true, false or/],
    ['idempotent', true, /is not an option/],
    ['readonly', true, /did you mean `readOnly`/],
  ])('refuses %s: %o', (name, value, rule) => {
    expect(issues(() => checkTransactionOptions({ [name]: value }))).toEqual([
      { path: name, rule: expect.stringMatching(rule), received: expect.any(String) },
    ]);
  });
});
