import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StartedTestContainer } from 'testcontainers';
import { ContainerProgram } from './container-program.ts';
import { run } from './lab-container.ts';

type KeepalivedState = 'MASTER' | 'BACKUP' | 'FAULT' | 'STOPPED';

/** keepalived on one of the masters. */
export class Keepalived {
  readonly program: ContainerProgram;
  readonly #container: StartedTestContainer;
  readonly #vip: string;
  readonly #logFile: string;

  constructor(container: StartedTestContainer, vip: string, folder: string) {
    this.#container = container;
    this.#vip = vip;
    this.#logFile = join(folder, 'log', 'keepalived.log');
    // Ids left by a killed one would keep the next from starting.
    const command = 'rm -f /run/keepalived/*.pid /run/keepalived.pid /run/vrrp.pid; exec "$0" "$@"';
    const options = ['--dont-fork', '--vrrp', '--log-console', '--log-detail'];
    this.program = new ContainerProgram(container, 'keepalived', [
      'sh',
      '-c',
      command,
      'keepalived',
      ...options,
    ]);
  }

  /** Whether the VIP is on its interface, whoever put it there. */
  async holdsVip(): Promise<boolean> {
    const addresses = await run(this.#container, ['ip', '-4', '-oneline', 'address', 'show', 'dev', 'eth0']);
    return addresses.includes(` ${this.#vip}/`);
  }

  /** Takes an address away that nobody looks after. */
  async dropVip(): Promise<void> {
    if (await this.holdsVip())
      await run(this.#container, ['ip', 'address', 'del', `${this.#vip}/32`, 'dev', 'eth0']);
  }

  /** What it last said of itself. */
  async state(): Promise<KeepalivedState> {
    if (this.program.state !== 'alive') return 'STOPPED';
    const lines = (await this.log()).split('\n');
    const started = lines.findLastIndex((line) => line.includes('Starting Keepalived'));
    const last = lines.slice(started).findLast((line) => /Entering (MASTER|BACKUP|FAULT) STATE/.test(line));
    return (/Entering (\w+) STATE/.exec(last ?? '')?.[1] ?? 'FAULT') as KeepalivedState;
  }

  /** Whether it is a backup and its script is done. */
  async isStandby(): Promise<boolean> {
    if ((await this.state()) !== 'BACKUP') return false;
    const log = await this.log();
    return log
      .slice(log.lastIndexOf('Entering BACKUP STATE'))
      .includes('backup: this server is read-only now');
  }

  /** When its script last made the server writable, in milliseconds since 1970; 0 if never. */
  async promotedAt(): Promise<number> {
    const lines = (await this.log()).split('\n');
    const last = lines.findLast((line) => line.includes('this server accepts writes now'));
    return Number(last?.split(' ')[0] ?? 0);
  }

  /** Its own lines and those of its scripts. */
  log(): Promise<string> {
    return readFile(this.#logFile, 'utf8').catch(() => '');
  }
}
