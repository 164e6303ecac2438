import { openAsBlob } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { HeedError } from '../../util/errors.ts'
import { checkPath, chooseFiles } from './files.ts'
import { modelFolder } from './hf.ts'
import { type HubOptions, hub } from './hub.ts'

export interface PushOptions extends HubOptions {
  /** The branch that takes the files. Default 'main'. */
  branch?: string
  /** Whether a repository that has to be made first is private. Default true. */
  private?: boolean
  /** The first line of the commit. */
  message?: string
  /** Patterns of files to send beside those of a model folder. */
  include?: readonly string[]
  onProgress?: (progress: { file: string; share: number; state: string }) => void
}

/**
 * Sends a model folder to the hub as one commit: all its files are there, or none. The repository is
 * made if there is none of this name. Returns the address of the commit.
 * @throws HeedError that says what to do: no token, no right to write, no network
 */
export async function pushModel(
  dir: string,
  name: string,
  options: PushOptions = {},
): Promise<{ url: string; files: string[] }> {
  const { branch = 'main', message = 'Upload a model with heed', onProgress, signal } = options
  const to = hub(name, options)
  const accessToken = to.token
  if (!accessToken)
    throw new HeedError('corrupt-file', 'Nothing can be pushed without a token', {
      remedy: 'Set HF_TOKEN to a token of yours with the right to write.',
    })
  if (!name.includes('/'))
    throw new HeedError('corrupt-file', `${name} has no owner`, {
      remedy: `Write it as owner/${name}.`,
    })
  await modelFolder(dir) // whether it is one
  const files = chooseFiles(await filesIn(dir), options.include ?? [], dir).map(checkPath)
  const api = await import('@huggingface/hub')
  const call = { ...to.call, accessToken }
  if (!(await api.repoExists({ ...call, fetch: to.ask })))
    await api.createRepo({ ...call, visibility: (options.private ?? true) ? 'private' : 'public' })
  const operations = await Promise.all(
    files.map(async (path) => {
      const content = await openAsBlob(join(dir, path)) // read as it is sent
      return { operation: 'addOrUpdate' as const, path, content }
    }),
  )
  const commit = api.commitIter({
    ...call,
    operations,
    branch,
    title: message,
    abortSignal: signal,
  })
  for (;;) {
    const { done, value } = await commit.next()
    if (done) return { url: value?.commit.url ?? `${to.endpoint}/${name}`, files }
    if (value.event === 'fileProgress')
      onProgress?.({ file: value.path, share: value.progress, state: value.state })
  }
}

/** Paths below a folder, with `/` between, without what is hidden or left over. */
async function filesIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !basename(entry.name).startsWith('.'))
    .map((entry) => relative(dir, join(entry.parentPath ?? entry.path, entry.name)))
    .map((path) => path.split(sep).join('/'))
}
