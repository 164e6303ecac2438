// Threads in which rows become examples: tokenizers are much slower than files.
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import type { Row } from '../../data/index.ts'
import { HeedError } from '../../util/errors.ts'
import { importedModules } from '../../util/imports.ts'
import type { EncodedPart, EncodingSetup } from './encode-part.ts'

/** How many threads are worth starting for so many bytes of data; HEED_THREADS is the most. */
export function threadsFor(bytes: number): number {
  const most = Number(process.env.HEED_THREADS || availableParallelism())
  const useful = Math.min(most, Math.floor(bytes / BYTES_EACH), MOST)
  return useful > 1 ? useful : 0 // one alone would do what this thread can
}

/** A thread takes half a second to start, and as much again to become fast; two gain from 10 MB on. */
const BYTES_EACH = 5 << 20
/** More of them encode faster than one thread reads. */
const MOST = 16

/** Parts that a thread has in hand, so that it never waits for the next one. */
const PARTS_EACH = 2

export class EncodingThreads {
  /** How many parts may be under way at once. */
  readonly ahead: number
  private readonly threads: Thread[]

  private constructor(threads: Thread[]) {
    this.threads = threads
    this.ahead = threads.length * PARTS_EACH
  }

  /** Undefined where there are no threads, as in browsers, or their file has been left out by a bundler. */
  static async start(
    setup: EncodingSetup,
    count: number,
    file: URL | undefined = workerFile(),
  ): Promise<EncodingThreads | undefined> {
    const module = await import('node:worker_threads').catch(() => undefined)
    if (!module || !file || count < 1) return undefined
    // Sources run only with the loader that this process was started with; dist/ needs nothing.
    const execArgv = import.meta.url.endsWith('.ts') ? undefined : []
    const workerData = { ...setup, imports: importedModules() }
    const start = () => new module.Worker(file, { workerData, execArgv, name: 'heed rows' })
    return new EncodingThreads(Array.from({ length: count }, () => new Thread(start())))
  }

  /** By the thread that has least to do. */
  encode(rows: readonly Row[]): Promise<EncodedPart> {
    const [first, ...rest] = this.threads
    return rest.reduce((a, b) => (b.busy < a.busy ? b : a), first).encode(rows)
  }

  /** Ends them, whatever they are doing. */
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

/** Too little memory is the user's to mend; what else a thread throws is a mistake of ours, and shows where. */
function explained(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? ended(message) : error
}

const ended = (reason: string): HeedError =>
  new HeedError('invalid-option', `a thread that made examples of rows stopped: ${reason}`, {
    remedy: 'HEED_THREADS=1 does without threads.',
  })

/** From a bundle in dist/, and from src/train/encoding. */
const PLACES = ['./encode-worker.js', '../encode-worker.js']

function workerFile(): URL | undefined {
  try {
    const urls = PLACES.map((place) => new URL(place, import.meta.url))
    return urls.find((url) => existsSync(fileURLToPath(url)))
  } catch {
    return undefined // a bundle that is no file
  }
}
