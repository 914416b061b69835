import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{contract,importers}/**/*.test.ts',
            'server/**/rules.test.ts',
            'server/channels/**/*.test.ts',
            'server/kernel/**/*.test.ts',
            'sandbox/**/*.test.ts',
          ],
          testTimeout: 60_000,
        },
      },
    ],
  },
})
