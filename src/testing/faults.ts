import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from './lab-error.ts';
import type { LabFault, MasterName, MoveVip, ProcessName, ServerName } from './lab-fault.ts';
import type { LabNode } from './lab-node.ts';
import type { LabParts } from './lab-parts.ts';
import { allNodes, isStandby, peerOf } from './lab-parts.ts';
import type { LabProcess } from './processes/lab-process.ts';
import { fence, promote, standDown } from './promotion.ts';
import type { LabRedis } from './redis.ts';
import { startNode, welcomeStandby } from './rejoin.ts';
import { switchReplication } from './replication.ts';

/** Makes the fault happen; resolves when it has. */
export async function inflict(parts: LabParts, fault: LabFault): Promise<void> {
  const { vendor, vip } = parts;
  switch (fault.kind) {
    case 'kill':
      return endProcess(parts, fault.server, (process) => process.kill());
    case 'stop':
      return endProcess(parts, fault.server, (process) => process.terminate());
    case 'start':
      return startProcess(parts, fault.server);
    case 'freeze':
      return processOf(parts, fault.server).freeze();
    case 'thaw':
      return thaw(parts, fault.server, fault.fence ?? true);
    case 'failover':
      return moveVip(parts, { gapMs: 500, oldConnections: 'reset', ...fault, kind: 'move-vip' });
    case 'move-vip':
      return moveVip(parts, fault);
    case 'black-hole':
      return vip.close('silent', 'silence');
    case 'refuse':
      return vip.close('refuse', 'reset');
    case 'answer':
      return vip.open('resume');
    case 'read-only':
      await nodeOf(parts, fault.server).ask(vendor.readOnly(fault.on));
      return;
    case 'stop-applier':
    case 'start-applier':
    case 'stop-receiver':
    case 'start-receiver':
      return switchReplication(vendor, nodeOf(parts, fault.server), fault.kind);
    default:
      throw new LabError(`unknown fault ${JSON.stringify(fault satisfies never)}`);
  }
}

/** The server of that name. */
export function nodeOf(parts: LabParts, name: ServerName): LabNode {
  const node = allNodes(parts).find((candidate) => candidate.name === name);
  if (node !== undefined) return node;
  throw new LabError(
    `this lab has no server ${name}; it has ${allNodes(parts)
      .map((each) => each.name)
      .join(', ')}`,
  );
}

/** The master of that name. */
export function masterOf(parts: LabParts, name: MasterName): LabNode {
  return parts.masters[name === 'a' ? 0 : 1];
}

function processOf(parts: LabParts, name: ProcessName): LabProcess {
  if (name !== 'redis') return nodeOf(parts, name).process;
  return redisOf(parts).process;
}

function redisOf({ redis }: LabParts): LabRedis {
  if (redis === undefined) throw new LabError('this lab has no Redis');
  return redis;
}

async function endProcess(
  parts: LabParts,
  name: ProcessName,
  end: (process: LabProcess) => Promise<void>,
): Promise<void> {
  await end(processOf(parts, name));
  if (name === parts.vip.owner.name) await parts.vip.refresh();
}

async function startProcess(parts: LabParts, name: ProcessName): Promise<void> {
  if (name === 'redis') await redisOf(parts).start();
  else if (processOf(parts, name).state === 'dead') await startNode(parts, nodeOf(parts, name));
}

async function thaw(parts: LabParts, name: ProcessName, fenceIt: boolean): Promise<void> {
  processOf(parts, name).thaw();
  if (name === 'redis') return;
  const node = nodeOf(parts, name);
  if (!isStandby(parts, node)) return;
  if (fenceIt) {
    await fence(parts.vendor, node, parts.accounts);
    await standDown(parts.vendor, node);
  }
  await welcomeStandby(parts, node);
}

async function moveVip(parts: LabParts, move: MoveVip): Promise<void> {
  const { vendor, accounts, semiSync, vip } = parts;
  const old = vip.owner;
  const next = move.to === undefined ? peerOf(parts, old) : masterOf(parts, move.to);
  if (next === old) throw new LabError(`${next.name} holds the VIP already`);
  if (!next.answers) throw new LabError(`${next.name} is ${next.process.state} and cannot take the VIP`);

  if (move.gapMs !== undefined && move.gapMs > 0) {
    await vip.close('silent', 'silence');
    await sleep(move.gapMs);
  }
  await vip.moveTo(next, move.oldConnections === 'silent' ? 'abandon' : 'reset');
  // keepalived runs its scripts on both hosts once the address has moved.
  const fences = (move.fence ?? true) && old.answers;
  const [fenced] = await Promise.allSettled([
    fences ? fence(vendor, old, accounts) : undefined,
    sleep(move.readOnlyMs ?? 50),
  ]);
  await Promise.all([
    fences ? standDown(vendor, old) : undefined,
    promote({ vendor, node: next, peer: old }, semiSync),
  ]);
  if (fenced.status === 'rejected') throw fenced.reason;
}
