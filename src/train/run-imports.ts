// The modules that were imported when a run was started. A run records their names; it never loads them by itself.
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../io/files/json.ts'
import { HeedError } from '../util/errors.ts'
import { importedModules } from '../util/imports.ts'

/** Names as the user wrote them, without control characters, because errors print them. */
export const importsSchema = z
  .array(
    z
      .string()
      .max(1000)
      .regex(/^[^\p{Cc}`]+$/u, 'a path'),
  )
  .max(100)

/** The `imports` of task.json; nothing if there are none. */
export function recordedImports(): { imports?: string[] } {
  const imports = importedModules().map(({ name }) => name)
  return imports.length > 0 ? { imports } : {}
}

/**
 * Files may have moved: an import counts as loaded if its file name is that of a loaded module.
 * @param dir a folder; one that is not a run needs no imports
 * @throws HeedError that names the imports of a run that are not loaded
 */
export async function checkImports(dir: string): Promise<void> {
  const path = join(dir, 'task.json')
  const file = await stat(path).catch(() => undefined)
  if (!file?.isFile()) return
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
