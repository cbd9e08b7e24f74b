import type { DatabaseNode } from './database-node.ts';
import { run } from './lab-container.ts';

/** What a container's firewall does to packets, as rules for `iptables`. */
export type FirewallRules = readonly string[];

/** Every packet of MySQL, in both directions, whoever opened the connection. */
export const drop3306: FirewallRules = ['INPUT', 'OUTPUT'].flatMap((chain) =>
  ['--dport', '--sport'].map((port) => `${chain} -p tcp ${port} 3306 -j DROP`),
);

/** Whatever comes to the VIP or from it. */
export function dropVip(vip: string): FirewallRules {
  return [`INPUT -d ${vip} -j DROP`, `OUTPUT -s ${vip} -j DROP`];
}

/** Connections to the VIP are refused or reset. */
export function refuseVip(vip: string): FirewallRules {
  return [`INPUT -d ${vip} -p tcp -j REJECT --reject-with tcp-reset`];
}

/** Adds rules, all at once. */
export async function addRules(node: DatabaseNode, rules: FirewallRules): Promise<void> {
  await restore(
    node,
    rules.map((rule) => `-A ${rule}`),
  );
}

/** Takes away rules of that kind, if they are there. */
export async function removeRules(node: DatabaseNode, rules: FirewallRules): Promise<void> {
  const current = await run(node.container, ['iptables', '-S']);
  const present = rules.filter((rule) => current.includes(normalised(rule)));
  await restore(
    node,
    present.map((rule) => `-D ${rule}`),
  );
}

/** Lets everything pass. */
export async function clearRules(node: DatabaseNode): Promise<void> {
  await run(node.container, ['iptables', '-w', '-F']);
}

async function restore(node: DatabaseNode, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const table = ['*filter', ...lines, 'COMMIT', ''].join('\n');
  await run(node.container, ['sh', '-c', 'printf %s "$0" | iptables-restore -w --noflush', table]);
}

/** As iptables lists it: host addresses with their mask, ports with their module. */
function normalised(rule: string): string {
  return rule.replace(/(-[ds] [\d.]+)/, '$1/32').replace(/-p tcp (--[ds]port)/, '-p tcp -m tcp $1');
}
