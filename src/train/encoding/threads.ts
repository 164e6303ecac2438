// Threads that encode rows. Tokenizing is much slower than reading files.
import { availableParallelism } from 'node:os'
import { pathToFileURL } from 'node:url'
import type { Worker } from 'node:worker_threads'
import type { Row } from '../../data/index.ts'
import { HeedError, OutOfMemoryError } from '../../util/errors.ts'
import { builtVersion } from '../../util/here.ts'
import { importedModules } from '../../util/imports.ts'
import { ownFile } from '../../util/package-folder.ts'
import { threadsSetting } from '../../util/settings.ts'
import type { EncodedPart, EncodingSetup } from './encode-part.ts'

/** The number of threads that is worthwhile for an amount of data; at most HEED_THREADS. */
export function threadsFor(bytes: number): number {
  const most = threadsSetting() ?? availableParallelism()
  const useful = Math.min(most, Math.floor(bytes / BYTES_EACH), MOST)
  return useful > 1 ? useful : 0 // a single thread would not be faster than this one
}

/** A thread takes half a second to start, and another half to warm up; two threads are faster from 10 MB. */
const BYTES_EACH = 5 << 20
/** More threads would encode faster than one thread can read. */
const MOST = 16

/** Number of parts queued for each thread. */
const PARTS_EACH = 2

export class EncodingThreads {
  /** Maximum number of parts in progress. */
  readonly ahead: number
  private readonly threads: Thread[]

  private constructor(threads: Thread[]) {
    this.threads = threads
    this.ahead = threads.length * PARTS_EACH
  }

  /** Starts threads. Returns undefined without thread support, as in browsers, or in a bundle that finds no package of heed. */
  static async start(
    setup: EncodingSetup,
    count: number,
    file: URL | undefined = workerFile(),
  ): Promise<EncodingThreads | undefined> {
    const module = await import('node:worker_threads').catch(() => undefined)
    if (!module || !file || count < 1) return undefined
    // TypeScript sources need the loader of this process; dist/ does not.
    const execArgv = builtVersion === undefined ? undefined : []
    const workerData = { ...setup, imports: importedModules() }
    const start = () => new module.Worker(file, { workerData, execArgv, name: 'heed rows' })
    return new EncodingThreads(Array.from({ length: count }, () => new Thread(start())))
  }

  /** Encodes rows in the least busy thread. */
  encode(rows: readonly Row[]): Promise<EncodedPart> {
    const [first, ...rest] = this.threads
    return rest.reduce((a, b) => (b.busy < a.busy ? b : a), first).encode(rows)
  }

  /** Terminates the threads. */
  async stop(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.stop()))
  }
}

interface Waiting {
  resolve: (part: EncodedPart) => void
  reject: (reason: unknown) => void
}

class Thread {
  private readonly worker: Worker
  private readonly waiting = new Map<number, Waiting>()
  private failure: unknown
  private posted = 0

  constructor(worker: Worker) {
    this.worker = worker
    worker.on('message', ({ number, part }: { number: number; part: EncodedPart }) => {
      this.waiting.get(number)?.resolve(part)
      this.waiting.delete(number)
    })
    worker.on('error', (error) => this.fail(explained(error)))
    worker.on('exit', (code) => this.fail(ended(`it ended with code ${code}`)))
  }

  get busy(): number {
    return this.waiting.size
  }

  encode(rows: readonly Row[]): Promise<EncodedPart> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) throw this.failure
      const number = this.posted++
      this.waiting.set(number, { resolve, reject })
      this.worker.postMessage({ number, rows })
    })
  }

  async stop(): Promise<void> {
    await this.worker.terminate()
  }

  private fail(reason: unknown): void {
    this.failure ??= reason
    for (const { reject } of this.waiting.values()) reject(this.failure)
    this.waiting.clear()
  }
}

/** Converts errors of a thread: out-of-memory errors and errors of Heed are for the user; others keep their stack. */
function explained(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ERR_WORKER_OUT_OF_MEMORY')
    return new OutOfMemoryError(stopped(message), withoutThreads)
  // An error of another thread arrives without its class.
  const { code: kind, details, remedy } = error as Partial<HeedError>
  if (!kind || !details) return error
  const options = { ...details, remedy, cause: error }
  if (kind === 'out-of-memory') return new OutOfMemoryError(message, options)
  return new HeedError(kind, message, options)
}

const stopped = (reason: string): string => `A thread that encodes rows stopped: ${reason}`
const withoutThreads = { remedy: 'Set HEED_THREADS to 1 to encode without threads.' }

const ended = (reason: string): HeedError =>
  new HeedError('invalid-state', stopped(reason), withoutThreads)

function workerFile(): URL | undefined {
  try {
    return pathToFileURL(ownFile('train/encode-worker.js'))
  } catch {
    return undefined
  }
}
