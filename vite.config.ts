import { defineConfig } from 'vitest/config'

const database = ['server/{kernel,db,modules}/**/*.test.ts', 'jobs/**/*.test.ts']

export default defineConfig({
  test: {
    // Most tests wait for a disk or an answer: more of them than processors keep the processors busy.
    maxWorkers: 4,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{contract,importers}/**/*.test.ts', 'server/channels/**/*.test.ts', 'sandbox/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      { test: { name: 'web', include: ['wecom-app/**/*.test.ts'] } },
      {
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts', 'server/*.test.ts'],
          globalSetup: ['server/testing/global-setup.ts'],
          // One at a time and after everything else: a browser on a busy machine tells more of the machine than of us.
          fileParallelism: false,
          maxConcurrency: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'db',
          include: database,
          globalSetup: ['server/testing/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
