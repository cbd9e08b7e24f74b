import { defineConfig } from 'vitest/config';

const node = { environment: 'node', restoreMocks: true } as const;

export default defineConfig({
  test: {
    globalSetup: ['test/support/survivors.ts'],
    projects: [
      { test: { ...node, name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      {
        test: {
          ...node,
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['test/types/**/*.test-d.ts'],
            tsconfig: 'test/types/tsconfig.json',
          },
        },
      },
      {
        test: {
          ...node,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          setupFiles: ['test/support/leftovers.ts'],
          fileParallelism: false,
          // Real servers on a busy machine can stall for seconds. What fails twice in a row is no stall.
          retry: 1,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 10_000 } },
        },
      },
      {
        test: {
          ...node,
          name: 'containers',
          include: ['test/containers/**/*.test.ts'],
          globalSetup: ['test/support/containers.ts'],
          setupFiles: ['test/support/leftovers.ts'],
          fileParallelism: false,
          // After the others: two labs at once would share the processors.
          sequence: { groupOrder: 1 },
          retry: 1,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          expect: { poll: { timeout: 10_000 } },
        },
      },
      {
        test: { ...node, name: 'packaging', include: ['test/packaging/**/*.test.ts'], testTimeout: 180_000 },
      },
    ],
  },
});
