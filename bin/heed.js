#!/usr/bin/env node
// The command line. In a checkout it is built by `npm install`.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = new URL('../dist/cli.js', import.meta.url)
if (!existsSync(fileURLToPath(main))) {
  console.error('heed: not built yet: run `npm run prepare` in the folder of the package')
  process.exit(2)
}
const { run } = await import(main.href)
await run(process.argv)
