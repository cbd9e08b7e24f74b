import { describe, expect, test } from 'vitest';
import { askPassword } from '../../../src/pool/password.ts';
import { Deadline } from '../../../src/resilience/deadline.ts';
import { Failed } from '../../../src/resilience/failed.ts';

const patient = { limitMs: 10_000, deadline: new Deadline(10_000) };

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => undefined,
    (error: unknown) => (error instanceof Failed ? error.failure : error),
  );
}

describe('askPassword', () => {
  test.each([
    ['a text', 'secret', 'secret'],
    ['nothing', undefined, ''],
    ['a function', () => 'secret', 'secret'],
    ['an async function', async () => 'secret', 'secret'],
  ])('takes %s', async (_, given, expected) => {
    expect(await askPassword(given, patient)).toBe(expected);
  });

  test('is a refused login when the function fails, and shows no URL password', async () => {
    const cause = new Error('GET https://me:secret@vault/key: 503');
    const asked = askPassword(() => Promise.reject(cause), patient);
    expect(await failureOf(asked)).toEqual({
      kind: 'access',
      outcome: 'not-executed',
      message: expect.not.stringContaining('secret'),
      cause,
      connection: 'destroy',
    });
    const thrown = askPassword(() => {
      throw cause;
    }, patient);
    expect(await failureOf(thrown)).toMatchObject({ kind: 'access', cause });
  });

  test('is a failed connect when the function takes too long or nobody waits any more', async () => {
    const hang = (): Promise<string> => new Promise(() => {});
    const abort = new AbortController();
    const late = askPassword(hang, { limitMs: 20, deadline: new Deadline(10_000) });
    const aborted = askPassword(hang, { limitMs: 10_000, deadline: new Deadline(10_000, abort.signal) });
    const failures = Promise.all([failureOf(late), failureOf(aborted)]);
    abort.abort();
    for (const failure of await failures) {
      expect(failure).toMatchObject({ kind: 'connect', outcome: 'not-executed' });
    }
  });
});
