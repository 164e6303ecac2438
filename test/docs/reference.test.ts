// The generated pages of docs/reference. `npm run check` compares them with their sources.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RUN_FILES } from '../../scripts/reference/files.ts'
import { commandNames } from '../../src/cli/commands.ts'
import { metricsSchema } from '../../src/train/metrics-file.ts'
import { FOLLOWED, SETTINGS } from '../../src/util/settings.ts'
import { scratch, trainTiny, writeRows } from '../train/support.ts'
import { root } from './page.ts'

const path = scratch()
const page = (name: string): string => readFileSync(join(root, 'docs/reference', name), 'utf8')

describe('the page of files', () => {
  it('lists the files of a run, and its metrics', async () => {
    const texts = Array.from({ length: 60 }, (_, i) => ({ text: `the whale ${i} swam north` }))
    const data = writeRows(path('texts.jsonl'), texts)
    const run = path('run')
    await trainTiny(run, { data: [data], steps: 4, saveEvery: 2, evalEvery: 2, valFraction: 0.2 })
    const files = readdirSync(run, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(run, name)).isFile())
      .map((name) =>
        name
          .split(sep)
          .join('/')
          .replace(/step-\d+/, 'step-NNNNNN'),
      )
    const listed = Object.keys(RUN_FILES)
    const isListed = (name: string): boolean => listed.includes(name) || name.startsWith('best/')
    expect(files.filter((name) => !isListed(name))).toEqual([])
    const expected = listed.filter((name) => !name.endsWith('/'))
    expect(expected.filter((name) => !files.includes(name))).toEqual([])
    const lines = readFileSync(join(run, 'metrics.jsonl'), 'utf8').trim().split('\n')
    expect(lines.length).toBeGreaterThan(4)
    for (const line of lines) metricsSchema.strict().parse(JSON.parse(line))
  })
})

describe('the page of environment variables', () => {
  it('has every variable that the sources read', () => {
    const sources = ['src', 'native', 'bin'].flatMap((folder) => readAll(join(root, folder)))
    const read = sources.flatMap((text) => [
      ...[...text.matchAll(/\benv\.([A-Z][A-Z_]+)\b/g)].map(([, name]) => name),
      ...[...text.matchAll(/getenv\("(\w+)"\)/g)].map(([, name]) => name),
      ...[...text.matchAll(/\bsetting\('(\w+)'\)/g)].map(([, name]) => name),
    ])
    const listed = Object.keys({ ...SETTINGS, ...FOLLOWED })
    const ofScripts = ['WASM_CXX'] // native/build-wasm.mjs, which only the repository runs
    expect(read.length).toBeGreaterThan(10)
    expect(read.filter((name) => ![...listed, ...ofScripts].includes(name))).toEqual([])
    for (const name of listed) expect(page('environment.md')).toContain(`\`${name}\``)
  })
})

it('every command has a page with its complete example', () => {
  for (const name of commandNames())
    expect(page(`commands/${name}.md`)).toMatch(/^# heed \w+\n[\s\S]*## Complete example\n/)
})

function readAll(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|m?js|cc)$/.test(name) && !name.startsWith('build'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
}
