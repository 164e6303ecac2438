// The CPU device without a compiler: the same kernels as WebAssembly, in Node and in browsers.
import { HeedError, invalidOption } from '../../util/errors.ts'
import { setting } from '../../util/settings.ts'
import { CpuDevice, type CpuOptions } from '../cpu/device.ts'
import { WasmAddon } from './addon.ts'
import { hasThreads } from './host.ts'
import { fetchKernels, load, supportedIsas, type WasmIsa } from './load.ts'

export interface WasmOptions extends CpuOptions {
  /** 'relaxed' or 'simd128': the better that works here, unless named. */
  isa?: string
  /** False computes on this thread: what happens anyway where memory cannot be shared. */
  workers?: boolean
}

/** One for each kind, as all devices of a kind share their memory. */
const addons = new Map<string, WasmAddon>()

export class WasmDevice extends CpuDevice {
  override readonly name: string = 'wasm'

  /** @throws HeedError where WebAssembly or its vectors are missing. */
  constructor(options: WasmOptions = {}) {
    const { isa, workers, key } = choose(options)
    let addon = addons.get(key)
    if (!addon) {
      addon = new WasmAddon(load(isa, workers), isa)
      addons.set(key, addon)
    }
    super({ ...options, isa }, addon)
  }

  /** For browsers, where files come later: afterwards the constructor works as well. */
  static async fetch(options: WasmOptions = {}): Promise<WasmDevice> {
    const { isa, workers, key } = choose(options)
    if (!addons.has(key)) addons.set(key, new WasmAddon(await fetchKernels(isa, workers), isa))
    return new WasmDevice(options)
  }
}

function choose(options: WasmOptions): { isa: WasmIsa; workers: boolean; key: string } {
  const given = options.isa ?? setting('HEED_ISA')
  const supported = supportedIsas()
  if (supported.length === 0)
    throw new HeedError(
      'unsupported',
      'The wasm device is not available: this engine has no WebAssembly vectors (SIMD128)',
      { remedy: 'Use Node 20 or newer, or a current browser.' },
    )
  const isa = supported.find((name) => given === undefined || name === given)
  if (!isa)
    throw invalidOption({
      key: 'isa',
      value: given,
      expected: `an instruction set of this engine (${supported.join(', ')})`,
      try: { isa: supported },
    })
  const workers = (options.workers ?? true) && hasThreads()
  return { isa, workers, key: `${isa} ${workers}` }
}
