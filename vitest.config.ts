import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['src/**/*.test.ts'] } },
      { test: { name: 'suites', include: ['test/**/*.test.ts'], testTimeout: 120_000 } },
    ],
  },
})
