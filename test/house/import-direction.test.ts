// The lint rules of biome.layers.json let imports point one way only (see ARCHITECTURE.md).
import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { layerRules, layers } from '../../scripts/layers.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'

const refused = [
  ['util', '../graph/node.ts'],
  ['graph', '../grad/rules.ts'],
  ['graph', '../index.ts'],
  ['grad', '../schedule/lower.ts'],
  ['schedule', '../grad/rules.ts'],
  ['runtime', '../tensor/index.ts'],
  ['runtime/cpu', '../../tensor/index.ts'],
  ['runtime/cpu', '../../index.ts'],
  ['tensor', '../nn/index.ts'],
  ['nn', '../optim/index.ts'],
  ['io', '../data/index.ts'],
  ['io/hub', '../../data/index.ts'],
  ['tokenizers/encode', '../../models/index.ts'],
  ['data', '../tokenizers/index.ts'],
  ['data/images', '../../models/index.ts'],
  ['models/text', '../../train/index.ts'],
  ['generate', '../train/index.ts'],
  ['generate/processors', '../../train/index.ts'],
  ['pipelines', '../train/index.ts'],
  ['train', '../cli/main.ts'],
]
const allowed = [
  ['graph', '../util/errors.ts'],
  ['graph', './node.ts'],
  ['runtime/cpu', '../device.ts'],
  ['runtime/cpu', '../../schedule/emit.ts'],
  ['data/images', '../../io/files/json.ts'],
  ['tokenizers/encode', '../formats/tokenizer-json.ts'],
  ['models/text', '../causal-lm.ts'],
  ['generate/processors', '../sampling.ts'],
  ['train', '../pipelines/index.ts'],
  ['train/tasks', '../task.ts'],
  ['cli', '../train/index.ts'],
]

it('refuses every import against the order, and no other', async () => {
  const folder = await temporaryFolder()
  const config = await read('biome.json')
  const plain = { ...JSON.parse(config), $schema: undefined, vcs: undefined }
  await writeFile(join(folder, 'biome.json'), JSON.stringify(plain))
  await writeFile(join(folder, 'biome.layers.json'), layerRules())
  for (const [i, [place, imported]] of [...refused, ...allowed].entries()) {
    await mkdir(join(folder, 'src', place), { recursive: true })
    await writeFile(join(folder, 'src', place, `case-${i}.ts`), `export * from '${imported}'\n`)
  }
  const found = lint(folder).matchAll(/case-(\d+)\.ts/g)
  const numbers = new Set([...found].map(([, number]) => Number(number)))
  expect([...numbers].sort((a, b) => a - b)).toEqual(refused.map((_, i) => i))
})

it('are generated from the list of layers: npm run generate:layers', async () => {
  expect(await read('biome.layers.json')).toBe(layerRules())
})

it('list the layers as the table in ARCHITECTURE.md and the folders of src do', async () => {
  const [, section] = (await read('ARCHITECTURE.md')).split(/^## Folders.*$/m)
  const rows = section.split(/^## /m)[0].matchAll(/^\| (`[a-z]+`(?: · `[a-z]+`)*) \|/gm)
  const table = [...rows].map(([, cell]) => cell.replaceAll('`', '').split(' · '))
  expect(table).toEqual(layers)
  const src = await readdir(new URL('../../src', import.meta.url), { withFileTypes: true })
  const folders = src.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  expect(layers.flat().sort()).toEqual(folders.sort())
})

const read = (path: string): Promise<string> =>
  readFile(new URL(`../../${path}`, import.meta.url), 'utf8')

function lint(folder: string): string {
  const require = createRequire(import.meta.url)
  const biome = join(dirname(require.resolve('@biomejs/biome/package.json')), 'bin/biome')
  const args = ['lint', '--only=style/noRestrictedImports', '--max-diagnostics=none', 'src']
  return spawnSync(process.execPath, [biome, ...args], { cwd: folder, encoding: 'utf8' }).stderr
}
