import { join } from 'node:path'
import { cacheFolder } from '../io/files/cache.ts'
import { pullDataset } from '../io/hub/pull.ts'
import { HeedError } from '../util/errors.ts'
import { matchesGlob } from './find-files.ts'

export const isHubData = (path: string): boolean => path.startsWith('hub:')

/**
 * Downloads the files of `hub:owner/name` or `hub:owner/name/PATTERN` into the cache, if they are not cached yet, and
 * returns their paths.
 * @param isData whether Heed can read a file
 * @throws HeedError if no file matches, and like `pullModel`
 */
export async function fetchHubData(
  path: string,
  isData: (file: string) => boolean,
): Promise<string[]> {
  const [owner, name, ...pattern] = path.slice('hub:'.length).split('/')
  const repo = name === undefined ? owner : `${owner}/${name}`
  const folder = join(cacheFolder('datasets'), repo.replace('/', '--'))
  const choose = (paths: readonly string[]): string[] => {
    const data = paths.filter(isData)
    const matching = data.filter(
      (file) => pattern.length === 0 || matchesGlob(pattern.join('/'), file),
    )
    const parquet = matching.filter((file) => file.endsWith('.parquet'))
    // Many data sets have the same rows in several formats.
    if (matching.length > 0) return parquet.length > 0 ? parquet : matching
    const some = (data.length > 0 ? data : paths).slice(0, 8).join(', ')
    throw new HeedError(
      'invalid-data',
      `${path} must match at least one data file of the data set`,
      {
        key: 'data',
        value: path,
        remedy: `It has ${some} …`,
      },
    )
  }
  const { files } = await pullDataset(repo, folder, choose)
  const names = files.map((file) => file.path).sort() // sorted before separators become those of the system
  return names.map((name) => join(folder, name))
}
