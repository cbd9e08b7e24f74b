import { expect, test } from 'vitest';
import { ClusterEmitter } from '../../../src/observe/emitter.ts';
import { Complaints } from '../../../src/topology/complaints.ts';

test('a complaint is told once, and again after it was in order', () => {
  const events = new ClusterEmitter();
  const told: string[] = [];
  events.on('master:unwatched', ({ master, reason }) => told.push(`${master}: ${reason}`));
  const complaints = new Complaints('a', events);
  complaints.make('login', 'no entry');
  complaints.make('login', 'still none');
  complaints.make('received', 'no grant');
  complaints.settle('login');
  complaints.make('login', 'no entry again');
  expect(told).toEqual(['a: no entry', 'a: no grant', 'a: no entry again']);
});
