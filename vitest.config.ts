import { defineConfig } from 'vitest/config'

// The tests run in another Node, and vitest itself in this one (see scripts/nodes/other-node.ts).
process.execPath = process.env.HEED_NODE || process.execPath

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests that measure memory call the garbage collector, and threads run from TypeScript sources.
    execArgv: ['--expose-gc', '--import', './scripts/typescript/register.mjs'],
    setupFiles: ['./test/support/plain.ts'],
    pool: 'forks',
    maxWorkers: '100%', // by default one core stays free, which is half of a machine with two
    reporters: ['default', './test/support/totals.ts'],
  },
})
