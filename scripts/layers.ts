// The layers of src, lowest first: the source of the lint rules for imports (biome.layers.json) and of the table of folders
// in ARCHITECTURE.md. Folders of the same layer do not import each other.
//
//   npm run generate:layers   writes biome.layers.json
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

export const layers: readonly (readonly string[])[] = [
  ['util'],
  ['graph'],
  ['grad', 'schedule'],
  ['runtime'],
  ['tensor'],
  ['nn'],
  ['io'],
  ['optim', 'tokenizers', 'data', 'metrics'],
  ['models'],
  ['adapt'],
  ['generate'],
  ['pipelines', 'rewards'],
  ['train'],
  ['cli'],
]

/** The contents of biome.layers.json: two rules for each folder, one for the folders inside it. */
export function layerRules(): string {
  const rules = layers.flatMap((folders, i) => {
    const below = layers.slice(0, i).flat()
    return folders.flatMap((folder) => [
      rule(`src/${folder}/**`, '../', below),
      rule(`src/${folder}/*/**`, '../../', [...below, folder]),
    ])
  })
  const lines = rules.map((item) => JSON.stringify(item)).join(',\n')
  return `{"overrides":[\n${lines}\n]}\n`
}

/** A rule: files of `includes` may import only from these folders at `up`. */
function rule(includes: string, up: string, folders: readonly string[]): object {
  const message = 'Imports point one way: see ARCHITECTURE.md.'
  const group = [`${up}**`, ...folders.map((folder) => `!${up}${folder}/**`)]
  const noRestrictedImports = { level: 'error', options: { patterns: [{ group, message }] } }
  return { includes: [includes], linter: { rules: { style: { noRestrictedImports } } } }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(new URL('../biome.layers.json', import.meta.url), layerRules())
