// Opens the folder of an adapter as a model: its base, with the adapter attached.
import { join } from 'node:path'
import { isFile } from '../io/files/is-file.ts'
import { registerFolderKind } from '../models/folder-kinds.ts'
import { fromPretrained } from '../models/index.ts'
import { readModelConfig } from '../models/weight-file.ts'
import { findBase, recordedBase } from './base.ts'
import { loadAdapter, loadAdapters, savedSpec } from './load.ts'
import { isAdapter, readPeftConfig } from './peft.ts'
import { quantizeBase } from './quantize-base.ts'

registerFolderKind({
  owns: isAdapter,
  attach: loadAdapters,
  async open(dir, head, { base: moved, config: changes, onNew, keepBlocks }) {
    const { base: stored } = await readPeftConfig(dir)
    const base = await findBase(dir, { moved, stored })
    const config = { ...(await changedKeys(dir, base)), ...changes }
    let fresh: readonly string[] = []
    const model = await fromPretrained(base, head, {
      keepBlocks,
      config: Object.keys(config).length > 0 ? config : undefined,
      onNew(names) {
        fresh = names
      },
      onUnused() {}, // a run has another head than its base
    })
    const { quantize } = (await recordedBase(dir)) ?? {}
    if (quantize && keepBlocks !== false)
      await quantizeBase(model, quantize, (await savedSpec(model, dir)).save)
    const { saved } = await loadAdapter(model, dir)
    const isSaved = (name: string): boolean =>
      Object.keys(saved).some((path) => name.startsWith(`${path}.`))
    const missing = fresh.filter((name) => !isSaved(name))
    if (missing.length > 0) onNew?.(missing)
    model.eval()
    return model
  },
})

/** What the config of a run changes in that of its base, such as the labels. A folder of peft has no config. */
async function changedKeys(dir: string, base: string): Promise<Record<string, unknown>> {
  if (!(await isFile(join(dir, 'config.json')))) return {}
  const [own, before] = [await readModelConfig(dir), await readModelConfig(base)]
  const { architectures: _, ...keys } = own
  const stored = new Map(Object.entries(before))
  const isSame = (key: string): boolean =>
    JSON.stringify(keys[key]) === JSON.stringify(stored.get(key))
  return Object.fromEntries(Object.entries(keys).filter(([key]) => !isSame(key)))
}
