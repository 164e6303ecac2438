// The kernels behind their one interface, in each way in which they are built.
import { buildNative } from '../../native/build.mjs'
import { type Addon, loadAddon } from '../../src/runtime/cpu/addon.ts'
import { WasmAddon } from '../../src/runtime/wasm/addon.ts'
import { load, supportedIsas } from '../../src/runtime/wasm/load.ts'

const { reason } = await buildNative() // Windows has a prebuilt one
const native = loadAddon().addon
if (!native) console.warn(`The native addon is not tested: ${reason}`)

export const addons: { name: string; addon: Addon }[] = [
  ...(native ? [{ name: 'native', addon: native }] : []),
  ...supportedIsas().map((isa) => ({
    name: `wasm ${isa}`,
    addon: new WasmAddon(load(isa, true), isa),
  })),
  { name: 'wasm on one thread', addon: new WasmAddon(load('simd128', false), 'simd128') },
]
