// Finds imports between the folders of src that violate the order of the layers.
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'
import { layers } from '../layers.ts'
import type { Source } from './sources.ts'

/** `file -> file` for each import of a folder that is not in a lower layer. */
export function upwardImports(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, tree }) =>
    importsOf(tree)
      .filter((name) => name.startsWith('.'))
      .map((name) => normalize(join(dirname(path), name)))
      .filter((target) => isUpward(folderOf(path), folderOf(target)))
      .map((target) => `${path} -> ${target}`),
  )
}

/** src itself is above all layers; there are no rules for its files. */
function isUpward(folder: string, other: string): boolean {
  const [mine, its] = [folder, other].map((name) =>
    layers.findIndex((names) => names.includes(name)),
  )
  return folder !== other && mine >= 0 && (its < 0 || its >= mine)
}

/** Imported modules, including re-exports and dynamic imports. */
function importsOf(tree: ts.SourceFile): string[] {
  return ts.preProcessFile(tree.text, true, true).importedFiles.map(({ fileName }) => fileName)
}

/** The folder below src; '' for files directly in src, such as src/index.ts. */
const folderOf = (path: string): string => /^src\/(\w+)\//.exec(path)?.[1] ?? ''
