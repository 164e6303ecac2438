import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const loader = ['-C', 'heed-source', '--import', 'ts-blank-space/register']

/** What a script of the repository prints, run as npm runs it. Rejects when it fails. */
export async function runScript(script: string, ...args: string[]): Promise<string> {
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, [...loader, script, ...args], { cwd: root })
  return stdout
}
