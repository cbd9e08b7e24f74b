import { parseArgs } from 'node:util';
import { createCluster } from '../../src/index.ts';
import { type Lab, startLab } from '../../src/testing/index.ts';
import { TcpProxy } from '../integration/pool/tcp-proxy.ts';
import { CommitGate, type Theft } from '../support/commit-gate.ts';
import { labVendors } from '../support/lab-vendors.ts';
import { type Loss, lostCommits, unacknowledgedCommits } from '../support/lost-commits.ts';
import { Orders } from '../support/orders.ts';

/** Loses the answers of COMMITs in every way, and counts what became of the orders. */
const { values } = parseArgs({
  options: {
    vendor: { type: 'string' },
    /** COMMITs to lose per vendor. */
    commits: { type: 'string', default: '200' },
    async: { type: 'boolean', default: false },
  },
});

const perRound = 10;
const commits = Number(values.commits);
const vendors = labVendors.filter((vendor) => values.vendor === undefined || vendor === values.vendor);

const thefts: readonly Theft[] = ['answer', 'question', 'delay', 'silence'];

const ways: Readonly<Record<string, (loss: Loss) => Promise<void>>> = {
  ...lostCommits,
  ...(values.async ? {} : unacknowledgedCommits),
};

for (const vendor of vendors) {
  console.log(`\n${vendor}, ${values.async ? 'asynchronous' : 'semi-synchronous'} replication`);
  console.log(
    `${'way'.padEnd(42)} orders  unanswered  in doubt  not placed  twice  lost  misreported  ms/round`,
  );
  await using lab = await startLab({ vendor, replicas: 0, redis: false, semiSync: !values.async });
  const all: Orders[] = [];
  const names = [...Object.keys(ways), 'answer, question, delay or silence'];
  for (let lost = 0, turn = 0; lost < commits; turn += 1) {
    const name = names[turn % names.length] ?? '';
    const orders = await play(lab, name, turn);
    all.push(orders);
    lost += orders.unanswered;
    if (orders.unanswered === 0) throw new Error(`${name}: no COMMIT was lost`);
  }
  const total = all.reduce((sum, { unanswered }) => sum + unanswered, 0);
  const inDoubt = all.reduce(
    (sum, orders) => sum + [...orders.outcomes.values()].filter((o) => o === 'in-doubt').length,
    0,
  );
  const proofs = new Map<string, number>();
  for (const { missingProofs } of all)
    for (const [proof, n] of missingProofs) proofs.set(proof, (proofs.get(proof) ?? 0) + n);
  console.log(
    `${total} unanswered COMMITs, ${inDoubt} reported in doubt (${((100 * inDoubt) / total).toFixed(1)} %) ${JSON.stringify(Object.fromEntries(proofs))}`,
  );
}

async function play(lab: Lab, name: string, turn: number): Promise<Orders> {
  await using proxy = await TcpProxy.start(lab.vip);
  const gate = new CommitGate(proxy);
  await using db = createCluster({
    ...lab.config(),
    primary: proxy.address,
    replicas: [],
    pool: { max: perRound + 2 },
    retry: { attempts: 10 },
  });
  const orders = await Orders.prepare(lab, db);
  const began = performance.now();
  const way = ways[name];
  if (way === undefined) gate.steal(() => thefts[Math.floor(Math.random() * (thefts.length * 1.5))]);
  else gate.close();
  const placed = orders.place(db, perRound, {
    key: turn % 3 === 2,
    timeoutMs: way === undefined ? 6_000 : 20_000,
  });
  if (way !== undefined) {
    await gate.holds(perRound);
    await way({ lab, gate, count: perRound });
  }
  await placed;
  const lastedMs = performance.now() - began;
  gate.open();
  await lab.heal();
  const tally = await orders.tally(lab);
  const cells = [
    perRound,
    orders.unanswered,
    tally.inDoubt,
    tally.notPlaced,
    tally.twice.length,
    tally.lost.length,
    tally.misreported.length,
  ];
  const widths = [7, 12, 10, 12, 7, 6, 13];
  console.log(
    name.padEnd(41) +
      cells.map((cell, i) => String(cell).padStart(widths[i] ?? 8)).join('') +
      lastedMs.toFixed(0).padStart(10),
  );
  return orders;
}
