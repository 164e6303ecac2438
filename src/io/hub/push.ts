import { openAsBlob } from 'node:fs'
import { join } from 'node:path'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { HeedError, invalidOption } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import { filesBelow } from '../files/files-below.ts'
import { requireIntact } from '../files/verify.ts'
import { checkPath, chooseFiles } from './files.ts'
import { modelFolder } from './hf.ts'
import { type HubOptions, hub } from './hub.ts'

/** Options of `pushModel`. */
export interface PushOptions extends HubOptions {
  /** Branch to commit to. Default 'main'. */
  branch?: string
  /** Whether to make a new repository private. Default true. */
  private?: boolean
  /** Commit message. */
  message?: string
  /** Patterns of files to upload in addition to those of a model folder. */
  include?: readonly string[]
  /** Called while a file is uploaded. `share` is the completed fraction, 0 to 1. */
  onProgress?: (progress: { file: string; share: number; state: string }) => void
}

const checkPushModel = argumentKinds('pushModel', {
  dir: 'text',
  name: 'text',
  options: optionKinds<PushOptions>({
    endpoint: 'text?',
    token: 'text?',
    signal: 'object?',
    branch: 'text?',
    private: 'flag?',
    message: 'text?',
    include: 'texts?',
    onProgress: 'function?',
  }),
})

/**
 * Uploads a model folder to the hub in one commit. Creates the repository if it does not exist.
 * @returns URL of the commit, and the uploaded files
 * @throws HeedError without token, write access or network, and for a damaged or incomplete folder
 */
export async function pushModel(
  dir: string,
  name: string,
  options: PushOptions = {},
): Promise<{ url: string; files: string[] }> {
  checkPushModel(dir, name, options)
  const { branch = 'main', message = 'Upload a model with heed', onProgress, signal } = options
  const to = hub(name, options)
  const accessToken = to.token
  if (!accessToken)
    throw new HeedError('invalid-option', '`token` is required to push, got none', {
      key: 'token',
      remedy: 'Set HF_TOKEN to a token with write access.',
    })
  if (!name.includes('/'))
    throw invalidOption({
      key: 'name',
      value: name,
      expected: 'owner/model',
      remedy: `Write it as owner/${name}, with your user name.`,
    })
  await modelFolder(dir) // throws if files are missing
  await requireIntact(dir)
  const files = chooseFiles(await filesBelow(dir), options.include ?? [], dir).map(checkPath)
  const api = await import('@huggingface/hub')
  const call = { ...to.call, accessToken }
  if (!(await api.repoExists({ ...call, fetch: to.ask })))
    await api.createRepo({ ...call, visibility: (options.private ?? true) ? 'private' : 'public' })
  const operations = await Promise.all(
    files.map(async (path) => {
      const content = await openAsBlob(join(dir, path)) // read during the upload
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
