import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HeedError } from '../../util/errors.ts'
import { isFolder } from './atomic.ts'
import { fileError, systemCode } from './file-error.ts'
import { checkNames } from './names-on-windows.ts'

/** Creates a folder and its parents if they do not exist. @throws HeedError if that fails */
export async function ensureDir(path: string): Promise<void> {
  checkNames(path)
  try {
    await makeFolder(path)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw fileError(error, 'create the folder', path)
    if (!existsSync(path)) throw fileError(FILE_IN_PATH, 'create the folder', path)
    throw new HeedError(
      'already-exists',
      `Cannot create the folder ${path}: a file has this name`,
      {
        value: path,
        cause: error,
        remedy: 'Choose another folder.',
      },
    )
  }
}

/** Windows has no ENOTDIR: a path below a file does not exist, and only creating the parent folder finds the file. */
const FILE_IN_PATH = Object.assign(new Error('ENOTDIR'), { code: 'ENOTDIR' })

// Without mkdir's `recursive`: in Node 20 it never returns if a file system rejects new folders with ENOENT (/proc).
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const code = systemCode(error)
    if (await isFolder(path)) return // for a drive (C:\), Windows reports EPERM instead of EEXIST
    const above = dirname(path)
    if (code !== 'ENOENT' || (await isFolder(above))) throw error
    await makeFolder(above)
    await mkdir(path)
  }
}
