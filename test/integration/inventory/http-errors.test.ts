import {
  ConnectError,
  ImplicitCommitError,
  InDoubtError,
  NoReplicaError,
  ParameterError,
  PrimaryUnavailableError,
  QueueFullError,
  TimeoutError,
} from 'vipsql';
import { expect, test } from 'vitest';
import { toHttpError } from '../../../examples/inventory/http-errors.ts';
import { ShopError } from '../../../examples/inventory/shop-error.ts';

test.each([
  [new InDoubtError('x'), 503, 'in_doubt', 1],
  [new PrimaryUnavailableError('x'), 503, 'unavailable', 1],
  [new QueueFullError('x'), 503, 'unavailable', 1],
  [new TimeoutError('x', { phase: 'failover', timeoutMs: 1 }), 503, 'unavailable', 1],
  [new NoReplicaError('x'), 503, 'unavailable', 1],
  [new ConnectError('x'), 503, 'unavailable', 1],
  [new ParameterError('x'), 500, 'internal', undefined],
  [new ImplicitCommitError('x'), 500, 'internal', undefined],
  [new ShopError('out_of_stock', 'x'), 409, 'out_of_stock', undefined],
  [new ShopError('not_found', 'x'), 404, 'not_found', undefined],
  [new TypeError('x'), 500, 'internal', undefined],
  ['thrown text', 500, 'internal', undefined],
])('%s is answered with %i %s', (error, status, code, retryAfter) => {
  const answer = toHttpError(error);
  expect([answer.status, answer.body.error, answer.retryAfter]).toEqual([status, code, retryAfter]);
});

test('an answer with 5xx tells nothing of the inside of the service', () => {
  const secret = 'app@10.0.0.7 SELECT qty FROM stock';
  for (const error of [new InDoubtError(secret), new QueueFullError(secret), new Error(secret)]) {
    expect(JSON.stringify(toHttpError(error).body)).not.toContain('10.0.0.7');
  }
});
