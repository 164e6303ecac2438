// The documentation site:
//
//     npm run docs                 builds it in docs/.vitepress/dist
//     npm run docs -- --serve      builds it and serves it on the loopback interface
//
// What builds it is installed in docs/node_modules on the first run. Building and reading the site fetch nothing.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const docs = fileURLToPath(new URL('../docs', import.meta.url))
const { values } = parseArgs({ options: { serve: { type: 'boolean', default: false } } })

if (!existsSync(join(docs, 'node_modules', 'vitepress')))
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'])
run(process.execPath, ['node_modules/vitepress/bin/vitepress.js', 'build'])
if (values.serve) run(process.execPath, ['node_modules/vitepress/bin/vitepress.js', 'preview'])

/** Ends this program if the command fails. */
function run(command: string, args: string[]): void {
  const shell = process.platform === 'win32' && command === 'npm' // a batch file there
  const { status } = spawnSync(command, args, { cwd: docs, stdio: 'inherit', shell })
  if (status !== 0) process.exit(status ?? 1)
}
