// From the bytes of a module to kernels over a memory.
import { hasThreads, readFile } from './host.ts'
import { instantiate, type Kernels, type Setup } from './instance.js'

/** Instruction sets of the WebAssembly build, best first. */
export const wasmIsas = ['relaxed', 'simd128'] as const
export type WasmIsa = (typeof wasmIsas)[number]

/** Those that work here. Relaxed SIMD is as fast as the processor's own multiply-add. */
export function supportedIsas(): WasmIsa[] {
  return wasmIsas.filter((isa) =>
    WebAssembly.validate(isa === 'relaxed' ? relaxedProbe : simdProbe),
  )
}

// (module (func (result v128) i32.const 0 i8x16.splat i32.const 0 i8x16.splat i8x16.relaxed_swizzle))
const header = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0]
const splat = [65, 0, 253, 15]
const relaxedProbe = Uint8Array.from([
  ...[...header, 10, 15, 1, 13, 0],
  ...[...splat, ...splat, 253, 128, 2, 11],
])
const simdProbe = Uint8Array.from([...header, 10, 8, 1, 6, 0, ...splat, 11])

const PAGE = 65536
/** 4 GiB, or less where an address space is small. */
const mostPages = [65536, 32768, 16384, 8192]

export interface Loaded {
  kernels: Kernels
  setup: Setup
  /** Bytes that the memory can have at most. */
  most: number
  threaded: boolean
}

/** The kernels, in Node. @throws Error where files cannot be read at once. */
export function load(isa: WasmIsa, threaded: boolean): Loaded {
  const bytes = readFile(`${isa}.wasm`)
  return start(new WebAssembly.Module(adapted(bytes, threaded)), threaded)
}

/** The same anywhere, for browsers: fetched, and compiled beside other work. */
export async function fetchKernels(isa: WasmIsa, threaded = hasThreads()): Promise<Loaded> {
  const response = await fetch(urlOf(isa))
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${response.statusText}`)
  const bytes = new Uint8Array(await response.arrayBuffer())
  return start(await WebAssembly.compile(adapted(bytes, threaded)), threaded)
}

/** Written out for each, so that bundlers see which files there are. */
function urlOf(isa: WasmIsa): URL {
  return isa === 'relaxed'
    ? new URL('./relaxed.wasm', import.meta.url)
    : new URL('./simd128.wasm', import.meta.url)
}

/**
 * The module asks for a shared memory. Atomics work on any other too, so one byte makes it a module for
 * a single thread: the limits' flags in the import of `env.memory`.
 */
function adapted(bytes: Uint8Array, threaded: boolean): Uint8Array<ArrayBuffer> {
  const out = bytes.slice() as Uint8Array<ArrayBuffer>
  if (threaded) return out
  const name = [...'\x03env\x06memory\x02'].map((c) => c.charCodeAt(0))
  const at = out.findIndex((_, i) => name.every((byte, j) => out[i + j] === byte)) + name.length
  if (out[at] !== 3) throw new Error('the WebAssembly module imports no shared memory')
  out[at] = 1
  return out
}

function start(module: WebAssembly.Module, threaded: boolean): Loaded {
  const { memory, most } = memoryFor(threaded)
  const setup = { module, memory }
  return { kernels: instantiate(setup), setup, most, threaded }
}

function memoryFor(shared: boolean): { memory: WebAssembly.Memory; most: number } {
  let failure: unknown
  for (const maximum of mostPages) {
    try {
      const memory = new WebAssembly.Memory({ initial: 64, maximum, shared })
      return { memory, most: maximum * PAGE }
    } catch (error) {
      failure ??= error
    }
  }
  throw failure
}
