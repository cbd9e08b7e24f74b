import type { ContainerLabSettings } from './container-options.ts';
import type { DatabaseNode } from './database-node.ts';
import { fillIn } from './fill-in.ts';
import { run } from './lab-container.ts';
import type { LabNetwork } from './lab-network.ts';

const keepalivedFiles = [
  { file: 'keepalived.conf', mode: 0o644 },
  { file: 'check-db.sh', mode: 0o755 },
  { file: 'notify-db.sh', mode: 0o755 },
  { file: 'check.cnf', mode: 0o600 },
  { file: 'notify.cnf', mode: 0o600 },
] as const;

/** Gives every node the files that docs/keepalived shows, with its own addresses in them. Masters come first. */
export async function configureNodes(
  { vendor, nameResolve }: ContainerLabSettings,
  network: LabNetwork,
  nodes: readonly DatabaseNode[],
): Promise<void> {
  if (nameResolve) await nameHosts(network, nodes);
  await Promise.all(
    nodes.map(async ({ container, host }, index) => {
      const peer = nodes[index === 0 ? 1 : 0]?.host ?? '';
      const addresses = { serverId: index + 1, own: host, peer };
      const documented = fillIn(`${vendor}.cnf`, network, addresses);
      // MySQL heeds the line even when a later option says the opposite.
      const server = nameResolve ? documented.replace('skip_name_resolve = ON\n', '') : documented;
      const files = index < 2 ? keepalivedFiles : [];
      await container.copyContentToContainer([
        { content: server, target: '/lab/server.cnf', mode: 0o644 },
        ...files.map(({ file, mode }) => ({
          content: fillIn(file, network, addresses),
          target: `/etc/keepalived/${file}`,
          mode,
        })),
      ]);
    }),
  );
}

/** Gives every address of the network a name in every container, so that servers which look names up find them. */
async function nameHosts(network: LabNetwork, nodes: readonly DatabaseNode[]): Promise<void> {
  const addresses = [network.hostAddress, ...network.proberAddresses, ...nodes.map(({ host }) => host)];
  const lines = addresses.map((address) => `${address} host-${address.replaceAll('.', '-')}.lab`).join('\n');
  await Promise.all(
    nodes.map(({ container }) => run(container, ['sh', '-c', 'echo "$0" >>/etc/hosts', lines])),
  );
}
