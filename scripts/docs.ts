// The documentation site:
//
//     npm run docs                 builds it in docs/.vitepress/dist
//     npm run docs -- --serve      builds it and serves it on the loopback interface
//     npm run docs -- --check      checks the types of what builds it (part of `npm run check`)
//
// A build with a warning fails: of TypeDoc, which writes the API reference from the sources to docs/reference/api, and of
// VitePress (a broken link, an error while a page is rendered). Neither needs the native addon or dist/.
//
// The first run installs the site generator in docs/node_modules. Building and reading the site do not use the network.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const docs = fileURLToPath(new URL('../docs', import.meta.url))
const loader = new URL('typescript/register.mjs', import.meta.url).href
const { values } = parseArgs({
  options: {
    serve: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
})

if (!existsSync(join(docs, 'node_modules', 'vitepress')))
  run('npm', ['ci', '--silent', '--ignore-scripts', '--no-audit', '--no-fund'])
if (values.check) run(process.execPath, ['../node_modules/typescript/bin/tsc', '-p', '.vitepress'])
else build()

function build(): void {
  run(process.execPath, ['--import', loader, '.vitepress/api/generate.ts'])
  run(process.execPath, ['node_modules/vitepress/bin/vitepress.js', 'build'])
  if (values.serve) run(process.execPath, ['node_modules/vitepress/bin/vitepress.js', 'preview'])
}

/** Runs a command; exits if it fails. */
function run(command: string, args: string[]): void {
  const shell = process.platform === 'win32' && command === 'npm' // a batch file there
  const { status } = spawnSync(command, args, { cwd: docs, stdio: 'inherit', shell })
  if (status !== 0) process.exit(status ?? 1)
}
