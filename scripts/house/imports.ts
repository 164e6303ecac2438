// Imports between the folders of src against the order that the lint rules in biome.json describe.
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'
import type { Source } from './sources.ts'

/** `file -> file` for each import against the order. */
export function upwardImports(root: string, sources: readonly Source[]): string[] {
  const allowed = allowedImports(root)
  return sources.flatMap(({ path, tree }) =>
    importsOf(tree)
      .filter((name) => name.startsWith('.'))
      .map((name) => normalize(join(dirname(path), name)))
      .filter((target) => {
        const folders = allowed.get(folderOf(path))
        const other = folderOf(target)
        return folders !== undefined && other !== folderOf(path) && !folders.has(other)
      })
      .map((target) => `${path} -> ${target}`),
  )
}

interface Override {
  includes: string[]
  linter: { rules: { style?: { noRestrictedImports?: { options: { patterns: Pattern[] } } } } }
}

interface Pattern {
  group: string[]
}

/** For each folder the folders from which it may import. Those without a rule may import from all. */
function allowedImports(root: string): Map<string, Set<string>> {
  const { overrides }: { overrides: Override[] } = JSON.parse(
    readFileSync(join(root, 'biome.json'), 'utf8'),
  )
  const allowed = new Map<string, Set<string>>()
  for (const { includes, linter } of overrides) {
    const [, folder] = /^src\/(\w+)\/\*\*$/.exec(includes[0]) ?? []
    const patterns = linter.rules.style?.noRestrictedImports?.options.patterns
    if (!folder || !patterns) continue
    const exceptions = patterns.flatMap(({ group }) => group).filter((glob) => glob.startsWith('!'))
    allowed.set(folder, new Set(exceptions.flatMap((glob) => glob.match(/\w+/g) ?? [])))
  }
  return allowed
}

/** Also of what is exported again and imported when it is needed. */
function importsOf(tree: ts.SourceFile): string[] {
  return ts.preProcessFile(tree.text, true, true).importedFiles.map(({ fileName }) => fileName)
}

/** Below src; a file there itself, as src/index.ts, has the empty name. */
const folderOf = (path: string): string => /^src\/(\w+)\//.exec(path)?.[1] ?? ''
