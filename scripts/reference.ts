// Writes the pages of docs/reference that are generated from definitions in the sources: commands, environment variables,
// file formats, models and error codes.
//
//     npm run generate:reference                 writes the pages
//     npm run generate:reference -- --check      fails if a page differs from its source; part of `npm run check`
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { commandPages } from './reference/commands.ts'
import { environmentPage } from './reference/environment.ts'
import { errorsPage } from './reference/errors.ts'
import { filesPage } from './reference/files.ts'
import { modelPages } from './reference/models.ts'

const folder = fileURLToPath(new URL('../docs/reference', import.meta.url))
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })

const pages: Readonly<Record<string, string>> = {
  ...(await commandPages()),
  ...modelPages(),
  'environment.md': environmentPage(),
  'files.md': filesPage(),
  'errors.md': errorsPage(),
}
/** Pages of commands or models that no longer exist. */
const outdated = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((path) => path.split(sep).join('/'))
  .filter((path) => path.endsWith('.md') && !path.startsWith('api/') && !(path in pages))
if (values.check) check()
else {
  for (const path of outdated) rmSync(join(folder, path))
  for (const [path, text] of Object.entries(pages)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

function check(): void {
  const different = Object.keys(pages).filter((path) => textOf(path) !== pages[path])
  const wrong = [...different, ...outdated]
  if (wrong.length === 0) return
  console.error(`docs/reference: ${wrong.join(', ')} must match the sources. Run \`npm run generate:reference\`.`) // biome-ignore format: one line
  process.exitCode = 1
}

function textOf(path: string): string {
  try {
    return readFileSync(join(folder, path), 'utf8')
  } catch {
    return ''
  }
}
