import { defineConfig } from 'vitest/config'

const database = ['server/{kernel,db,modules}/**/*.test.ts', 'jobs/**/*.test.ts']

export default defineConfig({
  test: {
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
          fileParallelism: false,
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
