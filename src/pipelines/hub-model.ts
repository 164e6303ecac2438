// Names of the hub in the place of folders: each model is downloaded once.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '../io/files/cache.ts'
import { recordHashes } from '../io/files/hashes.ts'
import { isHubName } from '../io/hub/hub.ts'
import { type PullProgress, pullModel } from '../io/hub/pull.ts'
import { HeedError } from '../util/errors.ts'
import { optionReader } from './option-names.ts'

export interface HubModelOptions {
  /** A branch, a tag or a commit on the hub. Default 'main'. */
  revision?: string
  /** The folder for downloaded models. Default: `models` in Heed's cache. */
  cacheDir?: string
  /** Use a model that was downloaded before, without a request. Default false. */
  localFilesOnly?: boolean
  /** Called while files are downloaded. */
  onProgress?: (progress: PullProgress) => void
  /** The same as transformers.js calls it: bytes of a file, and its progress in percent. */
  progress_callback?: (progress: TransformersProgress) => void
  signal?: AbortSignal
}

/** The progress of a file in the words of transformers.js. */
export interface TransformersProgress {
  status: 'progress' | 'done'
  name: string
  file: string
  progress: number
  loaded: number
  total: number
}

/** @throws HeedError for options that are not known or not supported */
export const readHubOptions = optionReader<HubModelOptions>('pipeline', {
  revision: 'text?',
  cacheDir: 'text?',
  localFilesOnly: 'flag?',
  onProgress: 'function?',
  progress_callback: 'function?',
  signal: 'object?',
})

/**
 * The folder of a model: a path that exists, such as that of `heed pull`, or a name `owner/model` on the hub, which
 * is downloaded into the cache unless it is there.
 * @throws HeedError that says what to do: no network, unknown or gated model, full disk
 */
export async function modelPath(source: string, options: HubModelOptions): Promise<string> {
  if (existsSync(source) || !source.includes('/') || !isHubName(source)) return source
  const { revision, cacheDir = cacheFolder('models'), localFilesOnly = false, signal } = options
  const name = source.replace('/', '--')
  const folder = join(
    cacheDir,
    revision === undefined ? name : `${name}@${encodeURIComponent(revision)}`,
  )
  if (existsSync(join(folder, 'config.json'))) return folder // it is written last
  if (localFilesOnly)
    throw new HeedError(
      'missing-file',
      `${source} must be in ${cacheDir}, as \`localFilesOnly\` is set`,
      {
        key: 'localFilesOnly',
        value: source,
        remedy: 'Leave it out to download the model.',
      },
    )
  const onProgress = (progress: PullProgress): void => {
    options.onProgress?.(progress)
    options.progress_callback?.(inOtherWords(source, progress))
  }
  const { files } = await pullModel(source, folder, { revision, signal, onProgress })
  await recordHashes(
    folder,
    files.map(({ path }) => path),
  )
  return folder
}

const inOtherWords = (name: string, { file, done, size }: PullProgress): TransformersProgress => ({
  status: done < size ? 'progress' : 'done',
  name,
  file,
  progress: size === 0 ? 100 : (100 * done) / size,
  loaded: done,
  total: size,
})
