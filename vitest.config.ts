import { defineConfig } from 'vitest/config';

const node = { environment: 'node', restoreMocks: true } as const;

export default defineConfig({
  test: {
    projects: [
      { test: { ...node, name: 'unit', include: ['test/unit/**/*.test.ts'] } },
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
          globalSetup: ['test/support/survivors.ts'],
          setupFiles: ['test/support/leftovers.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 10_000 } },
        },
      },
      {
        test: { ...node, name: 'packaging', include: ['test/packaging/**/*.test.ts'], testTimeout: 180_000 },
      },
    ],
  },
});
