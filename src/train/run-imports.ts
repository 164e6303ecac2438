// The modules that were imported when a run was started. A run records their names, but never loads them automatically.
import { basename, join } from 'node:path'
import { z } from 'zod'
import { isFile } from '../io/files/is-file.ts'
import { readJson } from '../io/files/json.ts'
import { HeedError } from '../util/errors.ts'
import { importedModules } from '../util/imports.ts'

/** Names as given by the user. Control characters are refused because errors print the names. */
export const importsSchema = z
  .array(
    z
      .string()
      .max(1000)
      .regex(/^[^\p{Cc}`]+$/u, 'a path'),
  )
  .max(100)

/** The key `imports` of task.json; empty if nothing was imported. */
export function recordedImports(): { imports?: string[] } {
  const imports = importedModules().map(({ name }) => name)
  return imports.length > 0 ? { imports } : {}
}

/**
 * Checks that the imports of a run are loaded. Modules are compared by file name, as they may have moved.
 * @param dir a folder; a folder that is not a run needs no imports
 * @throws HeedError that names the missing imports
 */
export async function checkImports(dir: string): Promise<void> {
  const path = join(dir, 'task.json')
  if (!(await isFile(path))) return
  const { imports = [] } = schema.safeParse(await readJson(path, { maxBytes: 20e6 })).data ?? {}
  const loaded = new Set(importedModules().map(({ name }) => basename(name)))
  const missing = imports.filter((name) => !loaded.has(basename(name)))
  if (missing.length === 0) return
  throw new HeedError(
    'invalid-state',
    `The run ${dir} needs ${missing.join(' and ')}, which must be imported`,
    {
      key: 'import',
      value: missing,
      remedy: `Add ${missing.map((name) => `\`import: ${name}\``).join(' ')}.`,
    },
  )
}

const schema = z.object({ imports: importsSchema.optional() })
