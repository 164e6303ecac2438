import { realpath, stat, statfs } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { ListFileEntry } from '@huggingface/hub'
import { HeedError } from '../../util/errors.ts'
import { ensureDir } from '../files/ensure-dir.ts'
import { formatBytes, quote } from '../files/file-error.ts'
import { download } from './download.ts'
import { checkPath, chooseFiles, hasChecksum, type RemoteFile, refuseHostile } from './files.ts'
import { type Hub, type HubOptions, hub } from './hub.ts'

export interface PullOptions extends HubOptions {
  /** A branch, a tag or a commit. Default 'main'. */
  revision?: string
  /** Patterns of files to take beside those of a model folder, such as `*.gguf`. */
  include?: readonly string[]
  onProgress?: (progress: PullProgress) => void
  /** Milliseconds before a broken connection is tried again; doubled each time. Default 1000. */
  retryDelay?: number
}

export interface PullProgress {
  file: string
  /** Bytes of this file that are here, and its size. */
  done: number
  size: number
  /** The same of all files. */
  totalDone: number
  totalSize: number
}

export interface Pulled {
  /** The commit that all files are of. */
  commit: string
  files: { path: string; size: number; fetched: boolean }[]
}

/**
 * Brings a model from the hub into a folder: config, weights as safetensors, tokenizer. Every file is
 * checked against its checksum before it gets its name, what is there already is kept, and what broke
 * off goes on where it stopped. config.json comes last: a folder without it is not complete.
 * @throws HeedError that says what to do: no network, no such model, gated, full disk, damaged file
 */
export async function pullModel(
  name: string,
  dir: string = name,
  options: PullOptions = {},
): Promise<Pulled> {
  const { include = [] } = options
  return pullFiles(hub(name, options), dir, options, (paths) => chooseFiles(paths, include, name))
}

/**
 * Brings files of a data set from the hub into a folder, with the same care.
 * @param choose which of all paths
 * @throws HeedError, as `pullModel`
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
  const commit = await understood(from, () => commitOf(from, revision))
  const files = await understood(from, () => listFiles(from, commit, choose))
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

/** What @huggingface/hub stumbles over is an answer that no hub gives. */
async function understood<T>({ endpoint }: Hub, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause
    throw new HeedError('corrupt-file', `${endpoint} does not answer as a hub: ${cause.message}`, {
      cause,
      remedy: 'Check HF_ENDPOINT, and that no proxy or login page is in between.',
    })
  }
}

async function commitOf({ call, name, type }: Hub, revision: string): Promise<string> {
  const api = await import('@huggingface/hub') // large: only those who pull wait for it
  const asked = { ...call, name, revision }
  const { sha } = await (type === 'model'
    ? api.modelInfo({ ...asked, additionalFields: ['sha'] })
    : api.datasetInfo({ ...asked, additionalFields: ['sha'] }))
  if (/^[0-9a-f]{40}$/.test(sha)) return sha
  throw new HeedError('corrupt-file', `The hub names no commit of ${name} (${quote(String(sha))})`)
}

async function listFiles(
  { call, name }: Hub,
  revision: string,
  choose: (paths: readonly string[]) => readonly string[],
): Promise<RemoteFile[]> {
  const api = await import('@huggingface/hub')
  const entries = new Map<string, ListFileEntry>()
  let seen = 0
  for await (const entry of api.listFiles({ ...call, recursive: true, revision })) {
    if (entry.type === 'file') entries.set(String(entry.path), entry)
    if (++seen > MOST_FILES)
      throw new HeedError('corrupt-file', `${name} has more than ${MOST_FILES} files: too many`)
  }
  refuseHostile(entries.keys())
  const chosen = choose([...entries.keys()])
  const files = chosen.map((path) => remoteFile(entries.get(path) as ListFileEntry))
  return files.sort((a, b) => rank(a) - rank(b) || a.size - b.size)
}

const MOST_FILES = 10_000

const rank = ({ path }: RemoteFile): number => (path === 'config.json' ? 1 : 0)

function remoteFile({ path, size, oid, lfs }: ListFileEntry): RemoteFile {
  checkPath(path)
  const hex = String(lfs ? lfs.oid : oid)
  const sound = Number.isSafeInteger(size) && size >= 0 && (!lfs || lfs.size === size)
  if (!sound || !(lfs ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(hex))
    throw new HeedError(
      'corrupt-file',
      `The hub gives no sound size and checksum of ${quote(path)}`,
    )
  return { path, size, checksum: { algorithm: lfs ? 'sha256' : 'git-sha1', hex } }
}

/** Where a file goes; folders on the way must not lead out through links. */
async function targetIn(dir: string, path: string): Promise<string> {
  const target = join(dir, path)
  await ensureDir(dirname(target))
  const inside = relative(await realpath(dir), await realpath(dirname(target)))
  if (!inside.startsWith('..')) return target
  throw new HeedError('corrupt-file', `${target} would lie outside of ${dir}: a link is in the way`)
}

async function isThere(path: string, file: RemoteFile): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() === true && found.size === file.size && (await hasChecksum(path, file))
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
    'missing-file',
    `${formatBytes(missing)} do not fit: ${dir} is on a disk with ${formatBytes(bavail * bsize)} left`,
    { remedy: 'Free some space, or choose a folder on another disk.' },
  )
}
