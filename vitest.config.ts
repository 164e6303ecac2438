import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = fileURLToPath(new URL('src', import.meta.url))

export default defineConfig({
  resolve: {
    // Examples import the package by its name: tests run them on the source.
    alias: [
      { find: /^heed$/, replacement: `${source}/index.ts` },
      { find: /^heed\/([a-z]+)$/, replacement: `${source}/$1/index.ts` },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests that measure memory ask for the garbage collector.
    execArgv: ['--expose-gc'],
    pool: 'forks',
    reporters: ['default', './test/support/totals.ts'],
  },
})
