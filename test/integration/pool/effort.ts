import { createHook } from 'node:async_hooks';

/** What it cost this process to run something. */
export interface Effort {
  readonly tookMs: number;
  /** Turns of the event loop that a timer of 10 ms got, as a share of those it should have got. */
  readonly tickShare: number;
  /** CPU time as a share of the time that it took. */
  readonly cpuShare: number;
  /** Sockets that began to connect. */
  readonly dials: number;
}

/** Measures this process while `work` runs. */
export async function measureEffort(work: () => Promise<unknown>): Promise<Effort> {
  let dials = 0;
  const hook = createHook({
    init: (_id, type) => {
      if (type === 'TCPCONNECTWRAP' || type === 'PIPECONNECTWRAP') dials += 1;
    },
  }).enable();
  let ticks = 0;
  const ticker = setInterval(() => {
    ticks += 1;
  }, 10);
  const cpu = process.cpuUsage();
  const began = performance.now();
  try {
    await work();
  } finally {
    clearInterval(ticker);
    hook.disable();
  }
  const tookMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  return { tookMs, tickShare: ticks / (tookMs / 10), cpuShare: (user + system) / 1_000 / tookMs, dials };
}
