import type { MasterName, ProcessName } from '../../src/testing/index.ts';
import { LabError } from '../../src/testing/lab-error.ts';
import { switchReplication } from '../../src/testing/replication.ts';
import type { ContainerFault } from './container-fault.ts';
import type { ContainerLabParts } from './container-lab-parts.ts';
import { masterOf, nodeOf, peerOf } from './container-lab-parts.ts';
import type { ContainerProgram } from './container-program.ts';
import type { ContainerRedis } from './container-redis.ts';
import type { DatabaseNode } from './database-node.ts';
import { addRules, drop3306, dropVip, type FirewallRules, refuseVip, removeRules } from './firewall.ts';
import { reachedMaster, waitForOwner } from './vip-owner.ts';

const moveTimeoutMs = 30_000;

/** Makes the fault happen; resolves when it has. */
export async function inflict(parts: ContainerLabParts, fault: ContainerFault): Promise<void> {
  const { vendor, network } = parts;
  switch (fault.kind) {
    case 'kill':
      return programOf(parts, fault.server).kill();
    case 'stop':
      return programOf(parts, fault.server).terminate();
    case 'start':
      return fault.server === 'redis' ? redisOf(parts).start() : nodeOf(parts, fault.server).start();
    case 'freeze':
      return programOf(parts, fault.server).freeze();
    case 'thaw':
      refuse(fault, ['fence']);
      return programOf(parts, fault.server).thaw();
    case 'failover':
      refuse(fault, ['gapMs', 'readOnlyMs', 'oldConnections']);
      await waitForOwner(parts, fault.to ?? soundMaster(parts), moveTimeoutMs);
      return;
    case 'move-vip':
      refuse(fault, ['gapMs', 'readOnlyMs', 'fence']);
      return moveVip(parts, fault.to);
    case 'black-hole':
      return onMasters(parts, (node) => addRules(node, dropVip(network.vip)));
    case 'refuse':
      return onMasters(parts, (node) => addRules(node, refuseVip(network.vip)));
    case 'answer':
      return onMasters(parts, (node) =>
        removeRules(node, [...dropVip(network.vip), ...refuseVip(network.vip)]),
      );
    case 'read-only':
      await nodeOf(parts, fault.server).ask(vendor.readOnly(fault.on));
      return;
    case 'stop-applier':
    case 'start-applier':
    case 'stop-receiver':
    case 'start-receiver':
      return switchReplication(vendor, nodeOf(parts, fault.server), fault.kind);
    case 'stop-keepalived':
      return masterOf(parts, fault.server).keepalived.program.terminate();
    case 'kill-keepalived':
      return masterOf(parts, fault.server).keepalived.program.kill();
    case 'start-keepalived':
      return masterOf(parts, fault.server).keepalived.program.start();
    case 'link-down':
    case 'link-up':
      return setLink(parts, nodeOf(parts, fault.server), fault.kind === 'link-up');
    case 'drop-3306':
      return setRules(nodeOf(parts, fault.server), drop3306, true);
    case 'pass-3306':
      return setRules(nodeOf(parts, fault.server), drop3306, false);
    default:
      throw new LabError(`unknown fault ${JSON.stringify(fault satisfies never)}`);
  }
}

function programOf(parts: ContainerLabParts, name: ProcessName): ContainerProgram {
  return name === 'redis' ? redisOf(parts).program : nodeOf(parts, name).program;
}

function redisOf({ redis }: ContainerLabParts): ContainerRedis {
  if (redis === undefined) throw new LabError('this lab has no Redis');
  return redis;
}

/** keepalived decides these things here. */
function refuse<Fault extends ContainerFault>(
  fault: Fault,
  options: readonly (keyof Fault & string)[],
): void {
  const given = options.find((option) => fault[option] !== undefined);
  if (given !== undefined) {
    throw new LabError(`${fault.kind}: a container lab cannot choose ${given}; keepalived decides that`);
  }
}

/** The master that keepalived will give the VIP to, or leave it with. */
function soundMaster(parts: ContainerLabParts): MasterName | undefined {
  const sound = parts.masters.filter(
    ({ node, keepalived }) => node.answers && node.isReachable && keepalived.program.state === 'alive',
  );
  const reached = reachedMaster(parts);
  return (sound.find((master) => master === reached) ?? sound[0])?.name;
}

async function moveVip(parts: ContainerLabParts, to: MasterName | undefined): Promise<void> {
  const old = await waitForOwner(parts, undefined, moveTimeoutMs);
  const next = to === undefined ? peerOf(parts, old) : masterOf(parts, to);
  if (next === old) throw new LabError(`${next.name} holds the VIP already`);
  await old.keepalived.program.terminate();
  await waitForOwner(parts, next.name, moveTimeoutMs);
  await old.keepalived.program.start();
}

async function onMasters(
  { masters }: ContainerLabParts,
  act: (node: DatabaseNode) => Promise<void>,
): Promise<void> {
  await Promise.all(masters.map(({ node }) => act(node)));
}

async function setLink({ bridge }: ContainerLabParts, node: DatabaseNode, up: boolean): Promise<void> {
  await bridge.setLink(node.container, up ? 'up' : 'down');
  node.isReachable = up;
}

async function setRules(node: DatabaseNode, rules: FirewallRules, on: boolean): Promise<void> {
  await (on ? addRules(node, rules) : removeRules(node, rules));
  node.isReachable = !on;
}
