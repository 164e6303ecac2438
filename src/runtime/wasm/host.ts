// Functions of Node or the browser that the device needs: files, threads, cores, memory.
import type { Worker as NodeWorker } from 'node:worker_threads'
import { ownFile } from '../../util/package-folder.ts'
import type { Reply } from './instance.js'

/** A thread that runs worker.js. */
export interface Thread {
  post(message: unknown): void
  /** Sets whether the thread keeps the process alive. No effect in browsers. */
  hold(on: boolean): void
  stop(): void
}

/** A built-in module of Node, without an import that a browser would follow. */
function builtin<T>(name: string): T | undefined {
  return typeof process === 'undefined' ? undefined : (process.getBuiltinModule?.(name) as T)
}

/** Reads a WebAssembly file synchronously. @throws Error outside of Node */
export function readFile(name: string): Uint8Array {
  const fs = builtin<typeof import('node:fs')>('node:fs')
  if (!fs) throw new Error('files can be read synchronously only in Node 20.16 or newer')
  return fs.readFileSync(ownFile(`runtime/wasm/${name}`, 'wasm'))
}

export function startThread(
  onMessage: (message: Reply) => void,
  onCrash: (reason: string) => void,
): Thread {
  const threads = builtin<typeof import('node:worker_threads')>('node:worker_threads')
  if (!threads) {
    const url = new URL('./worker.js', import.meta.url)
    return webThread(new Worker(url, { type: 'module', name: 'heed' }), onMessage, onCrash)
  }
  const worker = new threads.Worker(ownFile('runtime/wasm/worker.js'), {
    execArgv: [],
    name: 'heed',
  })
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

/** Whether threads can share memory. In a browser, this needs a page that is cross-origin isolated. */
export function hasThreads(): boolean {
  if (typeof SharedArrayBuffer === 'undefined') return false
  return typeof process !== 'undefined' || globalThis.crossOriginIsolated === true
}

export function availableCores(): number {
  const os = builtin<typeof import('node:os')>('node:os')
  return os?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1
}

/** Memory of the machine in bytes; infinity if it is unknown (in browsers). */
export function machineMemory(): number {
  return builtin<typeof import('node:os')>('node:os')?.totalmem() ?? Number.POSITIVE_INFINITY
}
