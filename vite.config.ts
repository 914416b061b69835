import { defineConfig } from 'vitest/config'

const database = ['server/{kernel,db,modules}/**/*.test.ts', '{jobs,sim}/**/*.test.ts']

export default defineConfig({
  test: {
    // Most tests wait for a disk or an answer: more of them than processors keep the processors busy.
    maxWorkers: 4,
    // Where `isolate` is off, the files of a worker share what they import: reading it anew costs more than most tests.
    projects: [
      {
        test: {
          name: 'unit',
          isolate: false,
          include: ['{contract,importers}/**/*.test.ts', 'server/channels/**/*.test.ts', 'sandbox/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      { test: { name: 'web', include: ['wecom-app/**/*.test.ts'] } },
      {
        test: {
          name: 'e2e',
          isolate: false,
          include: ['e2e/**/*.test.ts', 'server/*.test.ts'],
          globalSetup: ['server/testing/global-setup.ts'],
          // After everything else and no more at a time than processors: what a busy machine does is not ours.
          maxWorkers: 2,
          maxConcurrency: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 300_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 20_000 } },
        },
      },
      {
        test: {
          name: 'db',
          isolate: false,
          include: database,
          globalSetup: ['server/testing/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
