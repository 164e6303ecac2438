// Quantises the base of an adapter in memory (QLoRA; Dettmers et al., 2023). Its files stay as they are.
import { type Module, quantize } from '../nn/index.ts'
import { HeedError } from '../util/errors.ts'
import type { QuantizeFormat } from '../util/quantize-blocks.ts'
import { selectModules } from './targets.ts'

/**
 * Quantises the weights of a base, in place, before its adapter is attached. A base in blocks of this format is not
 * changed.
 * @param save names of the modules that the adapter trains whole, whose weights are kept
 * @throws HeedError for a base in blocks of another format, and if no layer can be quantised
 */
export async function quantizeBase(
  model: Module,
  format: QuantizeFormat,
  save: readonly string[] = [],
): Promise<void> {
  const inBlocks = model.namedModules().filter(([, { unsaved }]) => unsaved)
  const other = inBlocks.find(([, { unsaved }]) => unsaved !== format)
  if (other) {
    const [path, { unsaved }] = other
    throw new HeedError('invalid-option', `\`quantize\` must be the format of a base that is in blocks, got ${format} for ${unsaved} in ${path}`, {
      key: 'quantize',
      value: format,
      remedy: 'Omit it: blocks are used as they are. To use another format, start from the model before it was quantised.',
    }) // biome-ignore format: one line
  }
  if (inBlocks.length > 0) return
  const keep = selectModules(model, save).map(([, module]) => module)
  await quantize(model, format, { keep })
}
