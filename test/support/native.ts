// The native addon that the tests use.
import { buildNative } from '../../native/build.mjs'
import { type LoadedAddon, loadAddon } from '../../src/runtime/cpu/addon.ts'
import { once } from '../../src/util/once.ts'

/** In another Node (see scripts/nodes) the native addon alone is tested, and must be there. */
export const isOtherNode = Boolean(process.env.HEED_NODE)

export const native = once((): LoadedAddon => {
  const loaded = loadAddon()
  if (loaded.addon) return loaded
  if (isOtherNode) throw new Error(loaded.reason)
  console.warn(`The native addon is not tested: ${loaded.reason}`)
  return loaded
})

/** Compiled anew if its sources have changed, unless HEED_ADDON names another. */
export async function freshNative(): Promise<LoadedAddon> {
  if (!process.env.HEED_ADDON) await buildNative()
  return native()
}
