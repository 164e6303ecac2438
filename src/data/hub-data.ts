import { join } from 'node:path'
import { cacheFolder } from '../io/files/cache.ts'
import { pullDataset } from '../io/hub/pull.ts'
import { HeedError } from '../util/errors.ts'
import { matchesGlob } from './find-files.ts'

export const isHubData = (path: string): boolean => path.startsWith('hub:')

/**
 * Brings the files of a data set that `hub:owner/name` or `hub:owner/name/PATTERN` stands for, and
 * gives their paths. They stay in a cache, where they are not fetched a second time.
 * @param isData which files can be read
 * @throws HeedError when there are none, and as `pullModel`
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
    const asked = data.filter((one) => pattern.length === 0 || matchesGlob(pattern.join('/'), one))
    const [parquet] = [asked.filter((one) => one.endsWith('.parquet'))]
    if (asked.length > 0) return parquet.length > 0 ? parquet : asked // often both, of the same rows
    const some = (data.length > 0 ? data : paths).slice(0, 8).join(', ')
    throw new HeedError('invalid-data', `${path}: the data set has no such data`, {
      remedy: `It has ${some} …`,
    })
  }
  const { files } = await pullDataset(repo, folder, choose)
  return files.map((file) => join(folder, file.path)).sort()
}
