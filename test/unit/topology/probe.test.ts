import { expect, test } from 'vitest';
import { Probe } from '../../../src/topology/probe.ts';

test('a probe is silent until its server greets, and again when nothing more comes', () => {
  const probe = new Probe();
  const socket = { bytesRead: 0 };
  expect([probe.isConnected, probe.silentMs(0)]).toEqual([false, Number.POSITIVE_INFINITY]);
  probe.connected(socket);
  expect([probe.isConnected, probe.silentMs(100)]).toEqual([true, Number.POSITIVE_INFINITY]);
  socket.bytesRead = 80;
  expect([200, 300].map((now) => probe.silentMs(now))).toEqual([0, 100]);
  socket.bytesRead = 90;
  expect([400, 1_400].map((now) => probe.silentMs(now))).toEqual([0, 1_000]);
});
