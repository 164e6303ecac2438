import { realpath, stat, statfs } from 'node:fs/promises'
import nodePath, { dirname, join } from 'node:path'
import type { ListFileEntry } from '@huggingface/hub'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { HeedError } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import { ensureDir } from '../files/ensure-dir.ts'
import { formatBytes, quote } from '../files/file-error.ts'
import { download } from './download.ts'
import { checkPath, chooseFiles, hasChecksum, type RemoteFile, refuseHostile } from './files.ts'
import { type Hub, type HubOptions, hub } from './hub.ts'

/** Options of `pullModel`. */
export interface PullOptions extends HubOptions {
  /** A branch, a tag or a commit. Default 'main'. */
  revision?: string
  /** Patterns of files to download in addition to those of a model folder, such as `*.gguf`. */
  include?: readonly string[]
  /** Called while files are downloaded. */
  onProgress?: (progress: PullProgress) => void
  /** Milliseconds before a retry; doubled each time. Default 1000. */
  retryDelay?: number
}

/** Progress of a download. */
export interface PullProgress {
  /** Path of the file in the repository. */
  file: string
  /** Number of bytes of this file so far. */
  done: number
  /** Size of this file in bytes. */
  size: number
  /** Number of bytes of all files so far. */
  totalDone: number
  /** Size of all files in bytes. */
  totalSize: number
}

/** Result of `pullModel`. */
export interface Pulled {
  /** Commit hash of the files. */
  commit: string
  /** Path and size in bytes of each file. `fetched` is false for a file that was already complete. */
  files: { path: string; size: number; fetched: boolean }[]
}

const checkPullModel = argumentKinds('pullModel', {
  name: 'text',
  dir: 'text',
  options: optionKinds<PullOptions>({
    endpoint: 'text?',
    token: 'text?',
    signal: 'object?',
    revision: 'text?',
    include: 'texts?',
    onProgress: 'function?',
    retryDelay: 'number?',
  }),
})

/**
 * Downloads a model from the hub to a folder: config, weights (safetensors preferred) and tokenizer. Each file gets its
 * name after its checksum is verified, existing files are kept, and interrupted downloads resume. config.json is
 * downloaded at the end, so a folder without it is incomplete.
 * @throws HeedError without network, for an unknown or gated model, a full disk, or a damaged file
 */
export async function pullModel(
  name: string,
  dir: string = name,
  options: PullOptions = {},
): Promise<Pulled> {
  checkPullModel(name, dir, options)
  const { include = [] } = options
  return pullFiles(hub(name, options), dir, options, (paths) => chooseFiles(paths, include, name))
}

/**
 * Downloads files of a data set from the hub to a folder, like `pullModel`.
 * @param choose selects from the paths of all files
 * @throws HeedError like `pullModel`
 */
export async function pullDataset(
  name: string,
  dir: string,
  choose: (paths: readonly string[]) => readonly string[],
  options: PullOptions = {},
): Promise<Pulled> {
  return pullFiles(hub(name, options, 'dataset'), dir, options, choose)
}

async function pullFiles(
  from: Hub,
  dir: string,
  { revision = 'main', onProgress, retryDelay }: PullOptions,
  choose: (paths: readonly string[]) => readonly string[],
): Promise<Pulled> {
  const commit = await withHubErrors(from, () => commitOf(from, revision))
  const files = await withHubErrors(from, () => listFiles(from, commit, choose))
  await ensureDir(dir)
  await checkSpace(dir, files)
  const totalSize = files.reduce((sum, { size }) => sum + size, 0)
  const pulled: Pulled = { commit, files: [] }
  let before = 0
  for (const file of files) {
    const progress = (done: number): void => {
      const { path, size } = file
      onProgress?.({ file: path, done, size, totalDone: before + done, totalSize })
    }
    const target = await targetIn(dir, file.path)
    const fetched = !(await isThere(target, file))
    if (fetched) await download(from, commit, file, target, progress, retryDelay)
    progress(file.size)
    before += file.size
    pulled.files.push({ path: file.path, size: file.size, fetched })
  }
  return pulled
}

/** Converts parse errors of @huggingface/hub: such a response does not come from a hub. */
async function withHubErrors<T>({ endpoint }: Hub, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause
    throw new HeedError('network', `${endpoint} must respond like a hub, got: ${cause.message}`, {
      value: endpoint,
      cause,
      remedy: 'Check HF_ENDPOINT, and whether a proxy or a login page intercepts the connection.',
    })
  }
}

async function commitOf({ call, name, type }: Hub, revision: string): Promise<string> {
  const api = await import('@huggingface/hub') // large, and only needed here
  const query = { ...call, name, revision }
  const { sha } = await (type === 'model'
    ? api.modelInfo({ ...query, additionalFields: ['sha'] })
    : api.datasetInfo({ ...query, additionalFields: ['sha'] }))
  if (/^[0-9a-f]{40}$/.test(sha)) return sha
  throw new HeedError(
    'network',
    `The hub must return the commit of ${name}, got ${quote(String(sha))}`,
    { value: name, remedy: 'Check HF_ENDPOINT, and try again later.' },
  )
}

async function listFiles(
  { call, name }: Hub,
  revision: string,
  choose: (paths: readonly string[]) => readonly string[],
): Promise<RemoteFile[]> {
  const api = await import('@huggingface/hub')
  const entries = new Map<string, ListFileEntry>()
  let count = 0
  for await (const entry of api.listFiles({ ...call, recursive: true, revision })) {
    if (entry.type === 'file') entries.set(String(entry.path), entry)
    if (++count > MAX_FILES)
      throw new HeedError('unsupported', `${name} must have at most ${MAX_FILES} files, got more`, {
        value: name,
        remedy: 'Download the files that you need with another tool, for example git.',
      })
  }
  refuseHostile(entries.keys())
  const files = choose([...entries.keys()])
    .map((path) => entries.get(path))
    .filter((entry) => entry !== undefined)
    .map(remoteFile)
  return files.sort((a, b) => rank(a) - rank(b) || a.size - b.size)
}

const MAX_FILES = 10_000

const rank = ({ path }: RemoteFile): number => (path === 'config.json' ? 1 : 0)

function remoteFile({ path, size, oid, lfs }: ListFileEntry): RemoteFile {
  checkPath(path)
  const hex = String(lfs ? lfs.oid : oid)
  const sound = Number.isSafeInteger(size) && size >= 0 && (!lfs || lfs.size === size)
  if (!sound || !(lfs ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(hex))
    throw new HeedError(
      'network',
      `The hub must return a size and a checksum for ${quote(path)}, got other values`,
      {
        value: path,
        remedy: 'Check HF_ENDPOINT. If it fails again, do not trust this repository.',
      },
    )
  return { path, size, checksum: { algorithm: lfs ? 'sha256' : 'git-sha1', hex } }
}

/** The path for a file. Throws if a link on the way leads out of the folder. */
async function targetIn(dir: string, path: string): Promise<string> {
  const target = join(dir, path)
  await ensureDir(dirname(target))
  if (isInside(await realpath(dir), await realpath(dirname(target)))) return target
  throw new HeedError(
    'file-system',
    `Files must be inside of ${dir}, got ${target}, which is outside because of a link`,
    { value: target, remedy: 'Remove the link, or choose another folder.' },
  )
}

/** Whether an absolute path is a folder or inside of it. */
export function isInside(
  folder: string,
  path: string,
  { relative, isAbsolute } = nodePath,
): boolean {
  const inside = relative(folder, path)
  return !isAbsolute(inside) && inside.split(/[\\/]/, 1)[0] !== '..' // absolute: on another drive
}

async function isThere(path: string, file: RemoteFile): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined)
  return stats?.isFile() === true && stats.size === file.size && (await hasChecksum(path, file))
}

async function checkSpace(dir: string, files: readonly RemoteFile[]): Promise<void> {
  const { bavail, bsize } = await statfs(dir)
  let missing = 0
  for (const { path, size } of files) {
    const there = await stat(join(dir, path)).catch(() => undefined)
    if (there?.size !== size) missing += size
  }
  if (missing <= bavail * bsize) return
  throw new HeedError(
    'file-system',
    `The disk of ${dir} must have ${formatBytes(missing)} free, got ${formatBytes(bavail * bsize)}`,
    { value: dir, remedy: 'Free some space, or choose a folder on another disk.' },
  )
}
