import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { once } from './once.ts'

/**
 * The folder of the package heed: the first above this file, whether it lies in src or in dist. A program that was put
 * together with Heed's code (by esbuild, webpack …) lies elsewhere; then it is the package that the program can import.
 * Null where there is none.
 */
export const packageFolder = once((): string | null => {
  if (!import.meta.url.startsWith('file:')) return null
  return above(dirname(fileURLToPath(import.meta.url))) ?? importable()
})

function above(folder: string): string | null {
  if (isHeed(folder)) return folder
  return dirname(folder) === folder ? null : above(dirname(folder))
}

function importable(): string | null {
  try {
    return above(dirname(createRequire(import.meta.url).resolve('heed')))
  } catch {
    return null
  }
}

function isHeed(folder: string): boolean {
  const path = join(folder, 'package.json')
  if (!existsSync(path)) return false
  try {
    return JSON.parse(readFileSync(path, 'utf8')).name === 'heed'
  } catch {
    return false
  }
}
