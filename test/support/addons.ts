// The kernels behind their one interface, in each way in which they are built.
import type { Addon } from '../../src/runtime/cpu/addon.ts'
import { WasmAddon } from '../../src/runtime/wasm/addon.ts'
import { load, supportedIsas } from '../../src/runtime/wasm/load.ts'
import { freshNative, isOtherNode } from './native.ts'

const native = await freshNative()

export const addons: { name: string; addon: Addon }[] = [
  ...(native.addon ? [{ name: 'native', addon: native.addon }] : []),
  ...(isOtherNode ? [] : wasmAddons()),
]

function wasmAddons(): { name: string; addon: Addon }[] {
  return [
    ...supportedIsas().map((isa) => ({
      name: `wasm ${isa}`,
      addon: new WasmAddon(load(isa, true), isa),
    })),
    { name: 'wasm on one thread', addon: new WasmAddon(load('simd128', false), 'simd128') },
  ]
}
