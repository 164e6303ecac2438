// What the device needs of Node or of a browser: files, threads, cores, memory.
import type { Worker as NodeWorker } from 'node:worker_threads'
import { companionFolder, onDisk, ownFile } from '../../util/package-folder.ts'
import type { Reply } from './instance.js'

/** A thread that runs worker.js. */
export interface Thread {
  post(message: unknown): void
  /** Whether the process stays alive for it; browsers have no such thing. */
  hold(on: boolean): void
  stop(): void
}

/** Node's own modules, without an import that a browser would follow. */
function builtin<T>(name: string): T | undefined {
  return typeof process === 'undefined' ? undefined : (process.getBuiltinModule?.(name) as T)
}

/** The contents of a WebAssembly file, read synchronously. @throws Error outside of Node */
export function readFile(name: string): Uint8Array {
  const fs = builtin<typeof import('node:fs')>('node:fs')
  if (!fs) throw new Error('only Node reads files synchronously, from version 20.16 on')
  return fs.readFileSync(fileOf(name))
}

/** The published package has its WebAssembly in a package of its own version; a checkout has it in this folder. */
function fileOf(name: string): string {
  const folder = companionFolder('wasm')
  return folder === null ? inThisFolder(name) : onDisk(`${folder}/${name}`)
}

const inThisFolder = (name: string): string => ownFile(`runtime/wasm/${name}`)

export function startThread(
  onMessage: (message: Reply) => void,
  onCrash: (reason: string) => void,
): Thread {
  const threads = builtin<typeof import('node:worker_threads')>('node:worker_threads')
  if (!threads) {
    const url = new URL('./worker.js', import.meta.url)
    return webThread(new Worker(url, { type: 'module', name: 'heed' }), onMessage, onCrash)
  }
  const worker = new threads.Worker(inThisFolder('worker.js'), { execArgv: [], name: 'heed' })
  return nodeThread(worker, onMessage, onCrash)
}

function nodeThread(
  worker: NodeWorker,
  onMessage: (message: Reply) => void,
  onCrash: (reason: string) => void,
): Thread {
  worker.on('message', onMessage)
  worker.on('error', (error) => onCrash(error instanceof Error ? error.message : String(error)))
  worker.on('exit', (code) => onCrash(`a thread ended with code ${code}`))
  worker.unref()
  return {
    post: (message) => worker.postMessage(message),
    hold: (on) => (on ? worker.ref() : worker.unref()),
    stop: () => void worker.terminate(),
  }
}

function webThread(
  worker: Worker,
  onMessage: (message: Reply) => void,
  onCrash: (reason: string) => void,
): Thread {
  worker.onmessage = ({ data }) => onMessage(data as Reply)
  worker.onerror = (event) => onCrash(event.message ?? 'a thread did not start')
  return {
    post: (message) => worker.postMessage(message),
    hold: () => {},
    stop: () => worker.terminate(),
  }
}

/** Threads need memory that they share; a browser grants it to pages that are isolated. */
export function hasThreads(): boolean {
  if (typeof SharedArrayBuffer === 'undefined') return false
  return typeof process !== 'undefined' || globalThis.crossOriginIsolated === true
}

export function availableCores(): number {
  const os = builtin<typeof import('node:os')>('node:os')
  return os?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1
}

/** Bytes of the machine's memory, as far as it can be known. */
export function machineMemory(): number {
  return builtin<typeof import('node:os')>('node:os')?.totalmem() ?? Number.POSITIVE_INFINITY
}
