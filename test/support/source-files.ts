import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The TypeScript files of src, with paths such as `src/nn/linear.ts`. */
export function sourceFiles(): { path: string; text: string }[] {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => ({
      path: join('src', path),
      text: readFileSync(join(root, 'src', path), 'utf8'),
    }))
}
