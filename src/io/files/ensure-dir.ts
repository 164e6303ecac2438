import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HeedError } from '../../util/errors.ts'
import { fileError } from './file-error.ts'

/** Creates a folder and those above it. */
export async function ensureDir(path: string): Promise<void> {
  try {
    await makeFolder(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw fileError(error, 'create the folder', path)
    }
    const message = `cannot create the folder ${path}: a file has this name`
    throw new HeedError('corrupt-file', message, { cause: error, remedy: 'Choose another folder.' })
  }
}

// Not mkdir's own `recursive`: in Node 20 it never returns where a file system refuses new folders
// with ENOENT, as /proc does.
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await isFolder(path))) return
    const above = dirname(path)
    if (code !== 'ENOENT' || (await isFolder(above))) throw error
    await makeFolder(above)
    await mkdir(path)
  }
}

const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
