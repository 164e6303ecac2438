import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

/** The TypeScript files of a folder of the repository, with paths such as `src/nn/linear.ts`. */
export function sourceFiles(folder = 'src'): { path: string; text: string }[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => ({
      path: `${folder}/${path.replaceAll(sep, '/')}`,
      text: readFileSync(join(root, folder, path), 'utf8'),
    }))
}
