import { execFile } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What Node needs to run a TypeScript file of the repository. */
export const loader = [
  '--import',
  new URL('../../scripts/typescript/register.mjs', import.meta.url).href,
]

/** What Node needs to run a TypeScript program that imports the built package. */
export const builtLoader = [
  '--import',
  new URL('../../scripts/typescript/register-built.mjs', import.meta.url).href,
]

/** Whether dist/ was built after the last change of a source. */
export function isBuilt(): boolean {
  const built = statSync(join(root, 'dist/index.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  return sources.every((path) => statSync(join(root, 'src', path)).mtimeMs <= built)
}

/** What a script of the repository prints. Rejects when it fails. */
export async function runScript(script: string, ...args: string[]): Promise<string> {
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, [...loader, script, ...args], { cwd: root })
  return stdout
}
