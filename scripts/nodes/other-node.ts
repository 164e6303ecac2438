// Runs tests and scripts in another Node: for another processor or C library, or with a preloaded library. A start file
// replaces the program, so that child processes use that Node, too. vitest itself runs in the current Node.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from '../../native/compile.mjs'

export interface OtherNode {
  /** The program, with the emulator or the loader before it. */
  command: readonly string[]
  env?: Readonly<Record<string, string>>
}

export interface Started {
  /** Of the start file. */
  path: string
  env: NodeJS.ProcessEnv
}

const preload = fileURLToPath(new URL('exec-path.cjs', import.meta.url))

/** Calls `use` with a start file, which is removed afterwards. */
export async function withNode<T>(
  { command, env = {} }: OtherNode,
  use: (node: Started) => T | Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'heed-node-'))
  const path = join(folder, 'node')
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const words = ['env', ...settings, ...command, '--require', preload].map(quoted)
  writeFileSync(path, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 })
  try {
    return await use({ path, env: { ...process.env, HEED_NODE: path } })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The exit status of the tests, with this addon. */
export function runTests(node: Started, addon: string, args: readonly string[]): number {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const { status } = spawnSync(process.execPath, [vitest, 'run', ...args], {
    cwd: root,
    env: { ...node.env, HEED_ADDON: addon },
    stdio: 'inherit',
  })
  return status ?? 1
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`
