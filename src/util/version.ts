import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { builtVersion } from './here.ts'
import { packageFolder } from './package-folder.ts'

/** Version of this package. */
export const version: string = builtVersion ?? versionOfSources()

function versionOfSources(): string {
  const folder = packageFolder()
  return folder ? JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version : 'unknown'
}
