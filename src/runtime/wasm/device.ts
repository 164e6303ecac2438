// The CPU device without the native addon: the same kernels in WebAssembly, for Node and browsers.
import { HeedError, invalidOption } from '../../util/errors.ts'
import { setting } from '../../util/settings.ts'
import { CpuDevice, type CpuOptions } from '../cpu/device.ts'
import { WasmAddon } from './addon.ts'
import { hasThreads } from './host.ts'
import { fetchKernels, load, supportedIsas, type WasmIsa } from './load.ts'

export interface WasmOptions extends CpuOptions {
  /** Instruction set: 'relaxed' or 'simd128'. Default: HEED_ISA, or 'relaxed' if the engine supports it. */
  isa?: string
  /**
   * Compute on worker threads (default true). With false, or where memory cannot be shared, kernels run on the
   * calling thread.
   */
  workers?: boolean
}

/** One addon for each combination of instruction set and threads. All its devices share one memory. */
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

  /** For browsers, where files load asynchronously: loads the kernels first. The constructor works afterwards, too. */
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
