import type { Tensor } from '../../tensor/index.ts'
import { ShapeError } from '../../util/errors.ts'
import type { EncoderModel } from '../heads/text-model.ts'

/**
 * What the attention over ids (B, T) may see: (B, 1, 1, T), or everything.
 * @throws ShapeError for what are no ids, more of them than the model can see, or another batch's mask
 */
export function encoderMask(
  model: EncoderModel,
  ids: Tensor,
  attentionMask?: Tensor,
): Tensor | undefined {
  const { name } = model.constructor
  const [batch, tokens] = ids.shape
  if (ids.rank !== 2 || ids.size === 0 || tokens > model.contextLength)
    throw new ShapeError(`${name}: ids of shape (${ids.shape.join(', ')})`, {
      remedy: `They are (batch, tokens), with at most ${model.contextLength} tokens.`,
    })
  if (!attentionMask) return undefined
  const { shape, dtype } = attentionMask
  if (dtype !== 'bool' || shape.length !== 2 || shape[0] !== batch || shape[1] !== tokens)
    throw new ShapeError(`${name}: attentionMask is ${dtype} (${shape.join(', ')})`, {
      remedy: `It is bool (${batch}, ${tokens}), true where a token counts.`,
    })
  return attentionMask.unsqueeze(1).unsqueeze(1)
}
