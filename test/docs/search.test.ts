// Questions of the kind that people type into the search of the site, and the pages that answer them. A page must be among
// the first three results. The index is that of the built site (`npm run docs`).
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { miniSearch } from '../../docs/.vitepress/search.ts'
import { root } from './page.ts'

/** Beginnings of the addresses of pages, without a leading slash. */
const questions: Readonly<Record<string, readonly string[]>> = {
  'how do I save my model': ['guides/saving', 'reference/api/models'],
  clamp: ['reference/api/heed/tensor', 'coming-from/pytorch'],
  'attention weights': ['guides/looking-inside', 'reference/api/nn'],
  'out of memory': ['guides/debugging', 'guides/memory', 'reference/errors'],
  gguf: ['start/', 'reference/models', 'reference/api/io', 'reference/api/models'],
  'type module': ['start/install'],
  windows: ['start/install'],
  'learning rate schedule': ['reference/api/optim', 'guides/', 'coming-from/pytorch', 'reference/commands/train'], // biome-ignore format: one line
  'resume training': ['guides/', 'reference/commands/train', 'reference/files'],
  'cross entropy ignore index': ['reference/api/heed/f', 'reference/api/nn/loss-layers', 'coming-from/pytorch'], // biome-ignore format: one line
  quantize: ['reference/api/nn', 'reference/commands/generate', 'guides/'],
  'freeze layers': ['guides/', 'coming-from/pytorch', 'reference/commands/train'],
  'train a tokenizer': ['reference/api/tokenizers', 'guides/', 'start/'],
  'json output': ['start/first-ten-minutes', 'reference/commands/generate', 'reference/api/generate', 'guides/'], // biome-ignore format: one line
  'nan loss': ['guides/debugging', 'guides/nan', 'reference/errors', 'reference/api/nn'],
  gpu: ['start/install', 'guides/'],
  bun: ['start/install'],
  'cosine similarity search': ['start/first-ten-minutes', 'reference/commands/embed', 'reference/api/heed', 'guides/'], // biome-ignore format: one line
  top_p: ['generation-config', 'reference/commands/generate', 'reference/api/generate'],
  padding: ['reference/api/tokenizers', 'reference/api/nn', 'coming-from/', 'guides/'],
  'Module.stateDict': ['reference/api/nn/module', 'guides/saving'],
  crossEntropy: ['reference/api/heed/f'],
  HEED_THREADS: ['reference/environment', 'start/install'],
  'trainer_state.json': ['reference/files'],
}

const chunks = join(root, 'docs/.vitepress/dist/assets/chunks')
const [file] = existsSync(chunks) ? readdirSync(chunks).filter((name) => name.startsWith('@localSearchIndexroot')) : [] // biome-ignore format: one line

interface Found {
  id: string
}
let search: (text: string) => Found[]

describe.skipIf(file === undefined)('the search of the site', () => {
  beforeAll(async () => {
    const { default: MiniSearch } = await import(pathToFileURL(join(root, 'docs/node_modules/minisearch/dist/es/index.js')).href) // biome-ignore format: one line
    const { default: json } = await import(pathToFileURL(join(chunks, file)).href)
    const index = MiniSearch.loadJSON(json, {
      fields: ['title', 'titles', 'text'],
      storeFields: ['title', 'titles'],
      searchOptions: miniSearch.searchOptions,
      ...miniSearch.options,
    })
    search = (text) => index.search(text)
  })

  it.each(Object.entries(questions))('answers %j', (question, pages) => {
    const addresses = search(question).slice(0, 3).map(({ id }) => id.replace(/^\//, '')) // biome-ignore format: one line
    const answers = addresses.filter((it) => pages.some((page) => it.startsWith(page)))
    expect(answers, addresses.join('\n')).not.toEqual([])
  })

  it('is small enough to load', () => {
    expect(statSync(join(chunks, file)).size).toBeLessThan(2e6)
  })
})
