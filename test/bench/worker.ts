import { type BenchTarget, contenders } from './contenders.ts';

/** What the parent asks for: one round. */
export interface Round {
  readonly durationMs: number;
  readonly callers: number;
  readonly rows: number;
}

/** What one round gave. */
export interface RoundResult {
  readonly reads: number;
  readonly durationMs: number;
  /** User and system time of the process, microseconds per read. */
  readonly cpuUsPerRead: number;
}

const [name = '', target = ''] = process.argv.slice(2);
const create = contenders[name];
if (create === undefined) throw new Error(`no contender is called ${name}`);
const contender = create(JSON.parse(target) as BenchTarget);

process.on('message', (message: Round | 'close') => {
  if (message === 'close') {
    void contender.close().then(() => process.disconnect());
    return;
  }
  void run(message).then((result) => process.send?.(result));
});

async function run({ durationMs, callers, rows }: Round): Promise<RoundResult> {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  let reads = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() - startedAt < durationMs) {
        await contender.read(1 + Math.floor(Math.random() * rows));
        reads += 1;
      }
    }),
  );
  const { user, system } = process.cpuUsage(cpu);
  return { reads, durationMs: performance.now() - startedAt, cpuUsPerRead: (user + system) / reads };
}
