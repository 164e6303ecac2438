// Stages packages with the addon of this machine, for tests of their installation.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../native/compile.mjs'
import { type Target, targets } from '../../src/runtime/cpu/targets.ts'
import {
  recordOf,
  writeAddonPackage,
  writeMainPackage,
  writeWasmPackage,
} from '../prebuild/package.ts'

/**
 * Writes `heed`, its WebAssembly, and the addons' packages of all systems. All hold this addon: those of other systems must not be
 * installed here.
 * @returns their folders
 */
export function stagePackages(addon: string, into: string): string[] {
  const record = recordOf(readFileSync(addon))
  const main = writeMainPackage(Object.fromEntries(targets.map(({ name }) => [name, record])), into)
  return [main, writeWasmPackage(into), ...targets.map((it) => writeAddonPackage(it, addon, into))]
}

/** The addon that `npm run prebuild` built for the target, or the addon compiled here; null without either. */
export function addonFor({ name }: Target): string | null {
  const places = [
    join(root, 'build', 'prebuilt', `${name}.node`),
    join(root, 'native', 'build', 'heed.node'),
  ]
  return places.find((path) => existsSync(path)) ?? null
}
