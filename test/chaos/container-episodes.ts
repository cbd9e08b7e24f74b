import type { ContainerLab } from '../containers/container-lab.ts';
import type { Episode, Stage } from './fault.ts';

type ContainerStage = Stage<ContainerLab>;

/** From a moment before the fault until a moment after it. */
const commitsHangMs = 1_000;

/**
 * What goes wrong on real machines, one row of the fault matrix each. COMMITs of the primary hang when the fault comes,
 * so that some of them are truly in doubt; the server may yet commit them after the VIP has moved.
 */
export const containerEpisodes: readonly Episode<ContainerLab>[] = [
  {
    name: 'mysqld killed (kill -9)',
    movesVip: true,
    play: (stage) => breakPrimary(stage, () => stage.lab.fault({ kind: 'kill', server: stage.owner })),
  },
  {
    // The only way that COMMITs of exactlyOnce hang too: their last write would not pass a lock.
    name: 'mysqld killed, its COMMITs unacknowledged',
    movesVip: true,
    async play(stage) {
      const { lab, owner, standby } = stage;
      await lab.fault({ kind: 'stop-receiver', server: standby });
      await stage.pause(200, 500);
      await lab.fault({ kind: 'kill', server: owner });
      await lab.waitForOwner(standby);
    },
  },
  {
    name: 'mysqld shut down',
    movesVip: true,
    play: (stage) => breakPrimary(stage, () => stage.lab.fault({ kind: 'stop', server: stage.owner })),
  },
  {
    name: 'mysqld frozen (SIGSTOP)',
    movesVip: true,
    play: (stage) => breakPrimary(stage, () => stage.lab.fault({ kind: 'freeze', server: stage.owner })),
  },
  {
    name: 'keepalived stopped',
    movesVip: true,
    play: (stage) =>
      breakPrimary(stage, () => stage.lab.fault({ kind: 'stop-keepalived', server: stage.owner })),
  },
  {
    name: 'keepalived killed: two owners',
    movesVip: true,
    play: (stage) =>
      breakPrimary(stage, () => stage.lab.fault({ kind: 'kill-keepalived', server: stage.owner })),
  },
  {
    name: 'link down',
    movesVip: true,
    play: (stage) => breakPrimary(stage, () => stage.lab.fault({ kind: 'link-down', server: stage.owner })),
  },
  {
    name: 'packets of 3306 dropped',
    movesVip: true,
    play: (stage) => breakPrimary(stage, () => stage.lab.fault({ kind: 'drop-3306', server: stage.owner })),
  },
  {
    name: 'read_only on and off',
    async play(stage) {
      await stage.holdCommits(stage.owner, commitsHangMs);
      await stage.lab.fault({ kind: 'read-only', server: stage.owner, on: true });
      await stage.pause(1_000, 2_000);
      await stage.lab.fault({ kind: 'read-only', server: stage.owner, on: false });
    },
  },
  {
    name: 'VIP there and back',
    movesVip: true,
    async play(stage) {
      const { lab, owner, standby } = stage;
      await breakPrimary(stage, () => lab.fault({ kind: 'stop-keepalived', server: owner }));
      await lab.fault({ kind: 'start-keepalived', server: owner });
      await lab.fault({ kind: 'stop-keepalived', server: standby });
      await lab.waitForOwner(owner);
      await lab.fault({ kind: 'start-keepalived', server: standby });
    },
  },
  {
    name: 'both masters gone and back',
    async play(stage) {
      const { lab, owner, standby } = stage;
      await lab.fault({ kind: 'kill', server: owner });
      await lab.fault({ kind: 'kill', server: standby });
      await stage.pause(500, 1_500);
      await lab.fault({ kind: 'start', server: owner });
      await lab.fault({ kind: 'start', server: standby });
      await lab.waitForOwner();
    },
  },
  {
    name: 'replica killed',
    async play(stage) {
      await stage.lab.fault({ kind: 'kill', server: stage.replica });
      await stage.pause(2_000, 3_000);
      await stage.lab.fault({ kind: 'start', server: stage.replica });
    },
  },
  {
    name: 'replica frozen',
    async play(stage) {
      await stage.lab.fault({ kind: 'freeze', server: stage.replica });
      await stage.pause(2_000, 3_000);
      await stage.lab.fault({ kind: 'thaw', server: stage.replica });
    },
  },
  {
    name: "replica's applier stopped",
    async play(stage) {
      await stage.lab.fault({ kind: 'stop-applier', server: stage.replica });
      await stage.pause(2_000, 3_000);
      await stage.lab.fault({ kind: 'start-applier', server: stage.replica });
    },
  },
  {
    name: 'Redis killed',
    async play(stage) {
      await stage.lab.fault({ kind: 'kill', server: 'redis' });
      await stage.pause(1_000, 2_000);
      await stage.lab.fault({ kind: 'start', server: 'redis' });
    },
  },
];

/** For asynchronous replication: what the standby has not received by then is gone with the primary. */
export const behindEpisode: Episode<ContainerLab> = {
  name: 'mysqld killed, the standby behind',
  movesVip: true,
  async play(stage) {
    const { lab, owner, standby } = stage;
    await lab.fault({ kind: 'stop-receiver', server: standby });
    await stage.pause(500, 1_000);
    await lab.fault({ kind: 'kill', server: owner });
    await lab.waitForOwner(standby);
  },
};

/** Breaks the primary while COMMITs hang on it, and waits until the other master has taken over. */
async function breakPrimary(stage: ContainerStage, fault: () => Promise<void>): Promise<void> {
  await stage.holdCommits(stage.owner, commitsHangMs);
  await stage.pause(100, 300);
  await fault();
  await stage.lab.waitForOwner(stage.standby);
}
