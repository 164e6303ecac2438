import type { Tensor } from '../../tensor/index.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { ShapeError } from '../../util/errors.ts'
import { type OptionRules, optionKinds } from '../../util/options.ts'
import type { EncoderModel, EncoderOptions } from '../heads/text-model.ts'

const ENCODER = optionKinds<EncoderOptions>({ attentionMask: 'tensor?', tokenTypeIds: 'tensor?' })

/**
 * Checks the inputs of a model that reads a whole text in one pass.
 * @param packs whether a mask may also be i32, the number of the text of each token
 * @throws ShapeError if ids are not (B, T), exceed the context length, or do not match the mask
 */
export function checkEncoderInputs(
  model: EncoderModel,
  ids: Tensor,
  options: EncoderOptions,
  { rules = ENCODER, packs = false }: { rules?: OptionRules; packs?: boolean } = {},
): void {
  const { name } = model.constructor
  checkArgument(name, 'ids', ids, 'tensor')
  rules.check(name, options)
  const { attentionMask } = options
  const [batch, tokens] = ids.shape
  if (ids.rank !== 2 || ids.size === 0 || tokens > model.contextLength)
    throw new ShapeError(
      `${name}: ids must be (batch, tokens) with 1 to ${model.contextLength} tokens, got (${ids.shape.join(', ')})`,
      { remedy: 'Truncate longer texts, or split them.' },
    )
  if (!attentionMask) return
  const { shape, dtype } = attentionMask
  const isMask = dtype === 'bool' || (packs && dtype === 'i32')
  if (!isMask || shape.length !== 2 || shape[0] !== batch || shape[1] !== tokens)
    throw new ShapeError(
      `${name}: attentionMask must be bool${packs ? ' or i32' : ''} (${batch}, ${tokens}), got ${dtype} (${shape.join(', ')})`,
      { remedy: 'It must be true for tokens and false for padding.' },
    )
}
