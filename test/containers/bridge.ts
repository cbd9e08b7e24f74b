import { createSocket } from 'node:dgram';
import type { StartedTestContainer } from 'testcontainers';
import { LabContainer, run } from './lab-container.ts';
import type { LabNetwork } from './lab-network.ts';

/** This host's side of the lab's network, worked from a container that has the rights which it takes. */
export class Bridge {
  readonly #helper: StartedTestContainer;
  readonly #network: LabNetwork;
  /** The host's ends of the containers' cables. */
  readonly #ends = new Map<string, string>();

  private constructor(helper: StartedTestContainer, network: LabNetwork) {
    this.#helper = helper;
    this.#network = network;
  }

  static async start(image: string, labName: string, network: LabNetwork): Promise<Bridge> {
    const helper = await new LabContainer(image, labName).asHost().start();
    const bridge = new Bridge(helper, network);
    const additions = network.proberAddresses.map(
      (address) => `address add ${address}/32 dev ${network.bridge}`,
    );
    await run(helper, ['sh', '-c', 'echo "$0" | ip -batch -', additions.join('\n')]);
    return bridge;
  }

  /** Pulls a container's cable, or puts it back. */
  async setLink(container: StartedTestContainer, state: 'up' | 'down'): Promise<void> {
    await run(this.#helper, ['ip', 'link', 'set', 'dev', await this.#endOf(container), state]);
  }

  /** Forgets which machine has the VIP, and asks again. */
  async forgetVip(): Promise<void> {
    const { vip, bridge } = this.#network;
    await run(this.#helper, ['sh', '-c', `ip neigh del ${vip} dev ${bridge} || true`]);
    this.pokeVip();
  }

  /** Sends a packet that nobody answers, so that this host learns which machine has the VIP. */
  pokeVip(): void {
    const socket = createSocket('udp4');
    socket.on('error', () => {});
    socket.send('', 9, this.#network.vip, () => socket.close());
  }

  async #endOf(container: StartedTestContainer): Promise<string> {
    const known = this.#ends.get(container.getId());
    if (known !== undefined) return known;
    const index = (await run(container, ['cat', '/sys/class/net/eth0/iflink'])).trim();
    const links = await run(this.#helper, ['ip', '-oneline', 'link', 'show']);
    const [, end = ''] = new RegExp(`^${index}: ([^@:]+)`, 'm').exec(links) ?? [];
    this.#ends.set(container.getId(), end);
    return end;
  }
}
