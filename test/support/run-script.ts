import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What Node needs to run a TypeScript file of the repository. */
export const loader = [
  '--import',
  new URL('../../scripts/typescript/register.mjs', import.meta.url).href,
]

/** What a script of the repository prints. Rejects when it fails. */
export async function runScript(script: string, ...args: string[]): Promise<string> {
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, [...loader, script, ...args], { cwd: root })
  return stdout
}
