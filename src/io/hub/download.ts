import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { HeedError } from '../../util/errors.ts'
import { syncFile, syncFolder } from '../files/atomic.ts'
import { fileError, quote } from '../files/file-error.ts'
import { hasChecksum, type RemoteFile } from './files.ts'
import { type Hub, PassingError, unreachable } from './hub.ts'

/**
 * Fetches one file into a `.part` beside its target, and renames that when its checksum is right. What
 * an earlier try has left is gone on with: its name holds the checksum, so it is of this very content.
 */
export async function download(
  from: Hub,
  commit: string,
  file: RemoteFile,
  target: string,
  onProgress: (done: number) => void,
  retryDelay = 1000,
): Promise<void> {
  const part = join(dirname(target), `.${basename(target)}.${file.checksum.hex.slice(0, 16)}.part`)
  const url = `${from.endpoint}/${from.path}/resolve/${commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`
  for (let failures = 0; ; ) {
    const before = await sizeOf(part)
    try {
      await fetchRest(from, url, file, part, onProgress)
      break
    } catch (error) {
      if (!(error instanceof PassingError)) throw fileError(error, 'write', part)
      failures = (await sizeOf(part)) > before ? 1 : failures + 1
      if (failures > TRIES) throw error
      const wait = setTimeout(retryDelay * 2 ** (failures - 1), undefined, { signal: from.signal })
      await wait.catch(() => from.signal?.throwIfAborted())
    }
  }
  await finish(part, target, file)
}

const TRIES = 4

async function finish(part: string, target: string, file: RemoteFile): Promise<void> {
  if (!(await hasChecksum(part, file))) {
    await rm(part, { force: true })
    throw new HeedError(
      'corrupt-file',
      `${quote(file.path)} was damaged on its way: its checksum is wrong`,
      {
        remedy:
          'It was not kept. Pull again; if that does not help, the copy on the hub is broken.',
      },
    )
  }
  await syncFile(part)
  await rename(part, target)
  await syncFolder(dirname(target))
}

/** @throws PassingError when the connection breaks; what came until then is in the part */
async function fetchRest(
  from: Hub,
  url: string,
  file: RemoteFile,
  part: string,
  onProgress: (done: number) => void,
): Promise<void> {
  const handle = await open(part, 'a')
  try {
    let done = (await handle.stat()).size
    if (done > file.size) {
      await handle.truncate(0)
      done = 0
    }
    onProgress(done)
    if (done === file.size) return
    const response = await from.fetch(url, {
      headers: {
        'Accept-Encoding': 'identity', // bytes are counted
        ...(from.token && { Authorization: `Bearer ${from.token}` }),
        ...(done > 0 && { Range: `bytes=${done}-` }),
      },
    })
    const goesOn = response.headers.get('content-range')?.startsWith(`bytes ${done}-`) ?? false
    if (done > 0 && !(response.status === 206 && goesOn)) {
      await handle.truncate(0) // the server began from the start
      done = 0
    }
    await append(handle, bodyOf(response, from), file, done, onProgress)
  } finally {
    await handle.close()
  }
}

async function append(
  handle: FileHandle,
  body: AsyncIterable<Uint8Array>,
  file: RemoteFile,
  done: number,
  onProgress: (done: number) => void,
): Promise<void> {
  for await (const chunk of body) {
    done += chunk.length
    if (done > file.size) {
      await handle.truncate(0)
      throw new HeedError(
        'corrupt-file',
        `The hub sends more of ${quote(file.path)} than its ${file.size} bytes`,
      )
    }
    await handle.writeFile(chunk)
    onProgress(done)
  }
  if (done < file.size)
    throw new PassingError(
      'corrupt-file',
      `${quote(file.path)} broke off at ${done} of ${file.size} bytes`,
      {
        remedy: 'Run the same command again: it goes on from there.',
      },
    )
}

/** The body piece by piece; a connection that breaks is told from a disk that does not take it. */
async function* bodyOf({ body }: Response, from: Hub): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  try {
    for (;;) {
      const next = await reader?.read().catch((error: unknown) => {
        throw unreachable(error, from)
      })
      if (!next || next.done) return
      yield next.value
    }
  } finally {
    await reader?.cancel().catch(() => {})
  }
}

const sizeOf = async (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  )
