import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests that measure memory ask for the garbage collector, and threads are started from sources.
    execArgv: ['--expose-gc', '--import', './scripts/typescript/register.mjs'],
    setupFiles: ['./test/support/plain.ts'],
    pool: 'forks',
    maxWorkers: '100%', // by default one core stays free, which is half of two
    reporters: ['default', './test/support/totals.ts'],
  },
})
