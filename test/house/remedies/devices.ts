import { CpuDevice } from '../../../src/runtime/cpu/device.ts'
import { WasmAddon } from '../../../src/runtime/wasm/addon.ts'
import { WasmDevice, type WasmOptions } from '../../../src/runtime/wasm/device.ts'
import { load } from '../../../src/runtime/wasm/load.ts'
import type { RemedyCase } from './case.ts'

export const deviceCases: RemedyCase[] = [
  {
    site: 'src/runtime/cpu/device.ts#configure',
    // The kernels as WebAssembly, which need no compiler.
    run: ({ isa = 'sse1' }) =>
      new CpuDevice({ isa: String(isa) }, new WasmAddon(load('simd128', false), 'simd128')),
  },
  {
    site: 'src/runtime/wasm/device.ts#choose',
    run: ({ isa = 'sse1' }) => new WasmDevice({ isa, workers: false } as WasmOptions),
  },
]
