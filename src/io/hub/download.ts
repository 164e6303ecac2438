import { type FileHandle, open, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { HeedError } from '../../util/errors.ts'
import { syncFile, syncFolder } from '../files/atomic.ts'
import { fileError, quote } from '../files/file-error.ts'
import { move } from '../files/patience.ts'
import { hasChecksum, type RemoteFile } from './files.ts'
import { type Hub, PassingError, unreachable } from './hub.ts'

/**
 * Downloads a file to a `.part` file in the folder of its target, verifies its checksum, and renames it. Interrupted
 * downloads resume: the name of the `.part` file contains the checksum, so it belongs to the same content.
 */
export async function download(
  from: Hub,
  commit: string,
  file: RemoteFile,
  target: string,
  onProgress: (done: number) => void,
  retryDelay = 1000,
): Promise<void> {
  const partial = join(
    dirname(target),
    `.${basename(target)}.${file.checksum.hex.slice(0, 16)}.part`,
  )
  const url = `${from.endpoint}/${from.path}/resolve/${commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`
  for (let failures = 0; ; ) {
    const before = await sizeOf(partial)
    try {
      await fetchRest(from, url, { file, partial }, onProgress)
      break
    } catch (error) {
      if (!(error instanceof PassingError)) throw fileError(error, 'write', partial)
      failures = (await sizeOf(partial)) > before ? 1 : failures + 1
      if (failures > TRIES) throw error
      const wait = setTimeout(retryDelay * 2 ** (failures - 1), undefined, { signal: from.signal })
      await wait.catch(() => from.signal?.throwIfAborted())
    }
  }
  await finish(partial, target, file)
}

const TRIES = 4

async function finish(partial: string, target: string, file: RemoteFile): Promise<void> {
  if (!(await hasChecksum(partial, file))) {
    await rm(partial, { force: true })
    throw new HeedError(
      'corrupt-file',
      `The download of ${quote(file.path)} must match the checksum of the hub, got other content`,
      {
        value: file.path,
        remedy:
          'The file was removed. Pull again. If it fails again, the file on the hub is damaged.',
      },
    )
  }
  await syncFile(partial)
  await move(partial, target)
  await syncFolder(dirname(target))
}

/** @throws PassingError if the connection breaks. The bytes received so far are in the partial file. */
async function fetchRest(
  from: Hub,
  url: string,
  { file, partial }: { file: RemoteFile; partial: string },
  onProgress: (done: number) => void,
): Promise<void> {
  const handle = await open(partial, 'a')
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
    const resumes = response.headers.get('content-range')?.startsWith(`bytes ${done}-`) ?? false
    if (done > 0 && !(response.status === 206 && resumes)) {
      await handle.truncate(0) // the server sends the whole file
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
        'network',
        `The hub must send ${file.size} bytes for ${quote(file.path)}, got more`,
        {
          value: file.path,
          remedy: 'Pull again. If it fails again, do not trust this repository.',
        },
      )
    }
    await handle.writeFile(chunk)
    onProgress(done)
  }
  if (done < file.size)
    throw new PassingError(
      'network',
      `The download of ${quote(file.path)} was interrupted after ${done} of ${file.size} bytes`,
      { value: file.path, remedy: 'Run the same command again to resume.' },
    )
}

/** Yields the body in chunks. Errors of the connection become PassingErrors. */
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
