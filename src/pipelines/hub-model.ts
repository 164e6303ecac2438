// Resolves names of models on the hub to folders; each model is downloaded once.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '../io/files/cache.ts'
import { recordHashes } from '../io/files/hashes.ts'
import { isHubName } from '../io/hub/hub.ts'
import { type PullProgress, pullModel } from '../io/hub/pull.ts'
import { ADAPTED, type AdaptedModelOptions } from '../models/pretrained.ts'
import { HeedError } from '../util/errors.ts'
import { optionReader } from './option-names.ts'

/** Options of `pipeline` for models on the hub. */
export interface HubModelOptions {
  /** Branch, tag or commit on the hub. Default 'main'. */
  revision?: string
  /** The folder for downloaded models. Default: `models` in Heed's cache. */
  cacheDir?: string
  /** Use only models that were downloaded before, without network requests. Default false. */
  localFilesOnly?: boolean
  /** Called while files are downloaded. */
  onProgress?: (progress: PullProgress) => void
  /** Called while files are downloaded, with the arguments of transformers.js: bytes of a file, and percent. */
  progress_callback?: (progress: TransformersProgress) => void
  /** Aborting it stops the download. */
  signal?: AbortSignal
}

/** Options of `pipeline`. */
export interface PipelineOptions extends HubModelOptions, AdaptedModelOptions {}

/** The progress of a file, as reported by transformers.js. */
export interface TransformersProgress {
  /** Whether the file is being downloaded or complete. */
  status: 'progress' | 'done'
  /** Name of the model on the hub. */
  name: string
  /** Path of the file in the repository. */
  file: string
  /** Completed percentage of the file, 0 to 100. */
  progress: number
  /** Bytes of the file so far. */
  loaded: number
  /** Size of the file in bytes. */
  total: number
}

/** Reads the options of `pipeline`. @throws HeedError for unknown and unsupported options */
export const readPipelineOptions = optionReader<PipelineOptions>('pipeline', {
  revision: 'text?',
  cacheDir: 'text?',
  localFilesOnly: 'flag?',
  onProgress: 'function?',
  progress_callback: 'function?',
  signal: 'object?',
  ...ADAPTED,
})

/**
 * Returns the folder of a model: an existing path, or the cached download of a name `owner/model` on the hub. A model
 * that is not in the cache is downloaded.
 * @throws HeedError for a failed download: no network, an unknown or gated model, a full disk
 */
export async function modelPath(source: string, options: HubModelOptions): Promise<string> {
  if (existsSync(source) || !source.includes('/') || !isHubName(source)) return source
  const { revision, cacheDir = cacheFolder('models'), localFilesOnly = false, signal } = options
  const name = source.replace('/', '--')
  const folder = join(
    cacheDir,
    revision === undefined ? name : `${name}@${encodeURIComponent(revision)}`,
  )
  if (existsSync(join(folder, 'config.json'))) return folder // the last file that a download writes
  if (localFilesOnly)
    throw new HeedError(
      'missing-file',
      `${source} must be in ${cacheDir} because \`localFilesOnly\` is set`,
      {
        key: 'localFilesOnly',
        value: source,
        remedy: 'Omit it to download the model.',
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
