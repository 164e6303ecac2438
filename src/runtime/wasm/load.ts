// Loads and instantiates the WebAssembly kernels.
import { hasThreads, readFile } from './host.ts'
import { instantiate, type Kernels, type Setup } from './instance.js'

/** Instruction sets of the WebAssembly build, best first. */
export const wasmIsas = ['relaxed', 'simd128'] as const
export type WasmIsa = (typeof wasmIsas)[number]

/** The instruction sets that this engine supports. Relaxed SIMD uses the multiply-add of the processor. */
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
/** Maximum sizes to try: 4 GiB, or less if address space is limited. */
const mostPages = [65536, 32768, 16384, 8192]

export interface Loaded {
  kernels: Kernels
  setup: Setup
  /** Maximum size of the memory, in bytes. */
  most: number
  threaded: boolean
}

/** Loads the kernels in Node. @throws Error outside of Node, where files cannot be read synchronously */
export function load(isa: WasmIsa, threaded: boolean): Loaded {
  const bytes = readFile(`${isa}.wasm`)
  return start(new WebAssembly.Module(adapted(bytes, threaded)), threaded)
}

/** Fetches and compiles the kernels asynchronously, for browsers. @throws Error if a file cannot be fetched */
export async function fetchKernels(isa: WasmIsa, threaded = hasThreads()): Promise<Loaded> {
  const response = await fetch(urlOf(isa))
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${response.statusText}`)
  const bytes = new Uint8Array(await response.arrayBuffer())
  return start(await WebAssembly.compile(adapted(bytes, threaded)), threaded)
}

/** The URLs are literals, so that bundlers find the files. */
function urlOf(isa: WasmIsa): URL {
  return isa === 'relaxed'
    ? new URL('./relaxed.wasm', import.meta.url)
    : new URL('./simd128.wasm', import.meta.url)
}

/**
 * The module imports a shared memory. Atomics work on unshared memory, too, so changing one byte (the flags of
 * the limits in the import of `env.memory`) makes it a single-threaded module.
 */
function adapted(bytes: Uint8Array, threaded: boolean): Uint8Array<ArrayBuffer> {
  const out = bytes.slice() as Uint8Array<ArrayBuffer>
  if (threaded) return out
  const name = [...'\x03env\x06memory\x02'].map((c) => c.charCodeAt(0))
  const at = out.findIndex((_, i) => name.every((byte, j) => out[i + j] === byte)) + name.length
  if (out[at] !== 3) throw new Error('the WebAssembly module must import a shared memory')
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
