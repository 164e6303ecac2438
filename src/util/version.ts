import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder } from './package-folder.ts'

/** Of this package. */
export const version: string = findVersion()

function findVersion(): string {
  const folder = packageFolder()
  return folder ? JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version : 'unknown'
}
