import type { Episode, Stage } from './fault.ts';

/** What can go wrong in the embedded lab, with the times that keepalived needs. */
export const embeddedEpisodes: readonly Episode[] = [
  {
    name: 'the primary is killed',
    movesVip: true,
    async play(stage) {
      await stage.lab.fault({ kind: 'kill', server: stage.owner });
      await failOver(stage);
    },
  },
  {
    name: 'the primary is killed while its COMMITs hang',
    movesVip: true,
    async play(stage) {
      await stage.holdCommits(stage.owner, 5_000);
      await stage.pause(200, 800);
      await stage.lab.fault({ kind: 'kill', server: stage.owner });
      await failOver(stage);
    },
  },
  {
    name: 'the primary is killed while its COMMITs wait for the standby',
    movesVip: true,
    async play(stage) {
      await stage.lab.fault({ kind: 'stop-receiver', server: stage.standby });
      await stage.pause(200, 800);
      await stage.lab.fault({ kind: 'kill', server: stage.owner });
      await failOver(stage);
    },
  },
  {
    name: 'the primary shuts down',
    movesVip: true,
    async play(stage) {
      await stage.lab.fault({ kind: 'stop', server: stage.owner });
      await failOver(stage);
    },
  },
  {
    name: 'the primary freezes, and comes back as a standby',
    movesVip: true,
    async play(stage) {
      await stage.lab.fault({ kind: 'freeze', server: stage.owner });
      await stage.pause(500, 3_000);
      await stage.lab.fault({
        kind: 'failover',
        gapMs: 500,
        oldConnections: stage.random.pick(['reset', 'silent']),
      });
      await stage.pause(500, 2_000);
      await stage.lab.fault({ kind: 'thaw', server: stage.owner });
    },
  },
  {
    name: 'the primary freezes while its COMMITs hang',
    movesVip: true,
    async play(stage) {
      await stage.holdCommits(stage.owner, 1_000);
      await stage.pause(200, 500);
      await stage.lab.fault({ kind: 'freeze', server: stage.owner });
      await stage.lab.fault({
        kind: 'failover',
        gapMs: 500,
        oldConnections: stage.random.pick(['reset', 'silent']),
      });
      await stage.pause(500, 1_500);
      await stage.lab.fault({ kind: 'thaw', server: stage.owner });
    },
  },
  {
    name: 'the primary freezes and thaws',
    async play(stage) {
      await stage.lab.fault({ kind: 'freeze', server: stage.owner });
      await stage.pause(300, 4_000);
      await stage.lab.fault({ kind: 'thaw', server: stage.owner });
    },
  },
  {
    name: 'the VIP moves by plan',
    movesVip: true,
    play: ({ lab, random }) =>
      lab.fault({
        kind: 'move-vip',
        oldConnections: 'reset',
        gapMs: random.between(0, 700),
        readOnlyMs: random.between(0, 330),
      }),
  },
  {
    name: 'the VIP moves and old connections fall silent',
    movesVip: true,
    play: ({ lab, random }) =>
      lab.fault({
        kind: 'move-vip',
        oldConnections: 'silent',
        gapMs: random.between(0, 700),
        readOnlyMs: random.between(0, 330),
      }),
  },
  {
    name: 'the VIP moves and nobody fences the old primary',
    movesVip: true,
    play: ({ lab, random }) =>
      lab.fault({ kind: 'move-vip', oldConnections: random.pick(['reset', 'silent']), fence: false }),
  },
  {
    name: 'the VIP moves there, back and there again',
    movesVip: true,
    async play(stage) {
      for (let moves = stage.random.between(2, 3); moves > 0; moves -= 1) {
        await stage.lab.fault({ kind: 'move-vip', oldConnections: stage.random.pick(['reset', 'silent']) });
        await stage.pause(0, 1_000);
      }
    },
  },
  {
    name: 'packets to the VIP vanish for a while',
    async play(stage) {
      await stage.lab.fault({ kind: 'black-hole' });
      await stage.pause(200, 5_000);
      await stage.lab.fault({ kind: 'answer' });
    },
  },
  {
    name: 'packets to the VIP vanish until it moves',
    movesVip: true,
    async play(stage) {
      await stage.lab.fault({ kind: 'black-hole' });
      await stage.pause(1_000, 3_000);
      await stage.lab.fault({
        kind: 'failover',
        gapMs: 0,
        oldConnections: stage.random.pick(['reset', 'silent']),
      });
    },
  },
  {
    name: 'COMMITs are executed while their answers vanish, until the VIP moves',
    movesVip: true,
    async play(stage) {
      await stage.lab.fault({ kind: 'stop-receiver', server: stage.standby });
      await stage.pause(500, 1_000);
      await stage.lab.fault({ kind: 'black-hole' });
      await stage.lab.fault({ kind: 'start-receiver', server: stage.standby });
      await stage.pause(500, 1_500);
      await stage.lab.fault({
        kind: 'failover',
        gapMs: 0,
        oldConnections: stage.random.pick(['reset', 'silent']),
      });
    },
  },
  {
    name: 'the VIP refuses for a while',
    async play(stage) {
      await stage.lab.fault({ kind: 'refuse' });
      await stage.pause(200, 3_000);
      await stage.lab.fault({ kind: 'answer' });
    },
  },
  {
    name: 'the primary turns read-only for a while',
    async play(stage) {
      await stage.lab.fault({ kind: 'read-only', server: stage.owner, on: true });
      await stage.pause(100, 3_000);
      await stage.lab.fault({ kind: 'read-only', server: stage.owner, on: false });
    },
  },
  {
    name: 'the primary is killed and restarted in place',
    async play(stage) {
      await stage.lab.fault({ kind: 'kill', server: stage.owner });
      await stage.pause(0, 1_000);
      await stage.lab.fault({ kind: 'start', server: stage.owner });
    },
  },
  {
    name: 'both masters are killed and restarted',
    async play(stage) {
      await Promise.all([
        stage.lab.fault({ kind: 'kill', server: stage.owner }),
        stage.lab.fault({ kind: 'kill', server: stage.standby }),
      ]);
      await stage.pause(0, 2_000);
      await stage.lab.fault({ kind: 'start', server: stage.owner });
    },
  },
  {
    name: 'the standby freezes, so that COMMITs wait',
    async play(stage) {
      await stage.lab.fault({ kind: 'freeze', server: stage.standby });
      await stage.pause(200, 3_000);
      await stage.lab.fault({ kind: 'thaw', server: stage.standby });
    },
  },
  {
    name: 'a replica is killed',
    async play(stage) {
      await stage.lab.fault({ kind: 'kill', server: stage.replica });
      await stage.pause(200, 3_000);
      await stage.lab.fault({ kind: 'start', server: stage.replica });
    },
  },
  {
    name: 'a replica freezes',
    async play(stage) {
      await stage.lab.fault({ kind: 'freeze', server: stage.replica });
      await stage.pause(200, 4_000);
      await stage.lab.fault({ kind: 'thaw', server: stage.replica });
    },
  },
  {
    name: "a replica's applier stops",
    async play(stage) {
      await stage.lab.fault({ kind: 'stop-applier', server: stage.replica });
      await stage.pause(200, 2_000);
    },
  },
  {
    name: 'Redis is killed',
    async play(stage) {
      await stage.lab.fault({ kind: 'kill', server: 'redis' });
      await stage.pause(200, 2_000);
      await stage.lab.fault({ kind: 'start', server: 'redis' });
    },
  },
];

function failOver({ lab, random }: Stage): Promise<void> {
  return lab.fault({
    kind: 'failover',
    gapMs: random.between(300, 2_500),
    readOnlyMs: random.between(0, 330),
  });
}
