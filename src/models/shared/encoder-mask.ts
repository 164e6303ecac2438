import type { Tensor } from '../../tensor/index.ts'
import { ShapeError } from '../../util/errors.ts'
import type { EncoderModel } from '../heads/text-model.ts'

/**
 * Checks what a model reads that sees a whole text at once.
 * @throws ShapeError unless ids are (B, T) with at most as many tokens as the model can see, and the mask fits them
 */
export function checkEncoderInputs(model: EncoderModel, ids: Tensor, attentionMask?: Tensor): void {
  const { name } = model.constructor
  const [batch, tokens] = ids.shape
  if (ids.rank !== 2 || ids.size === 0 || tokens > model.contextLength)
    throw new ShapeError(
      `${name}: ids must be (batch, tokens) with 1 to ${model.contextLength} tokens, got (${ids.shape.join(', ')})`,
      { remedy: 'Truncate longer texts, or split them.' },
    )
  if (!attentionMask) return
  const { shape, dtype } = attentionMask
  if (dtype !== 'bool' || shape.length !== 2 || shape[0] !== batch || shape[1] !== tokens)
    throw new ShapeError(
      `${name}: attentionMask must be bool (${batch}, ${tokens}), got ${dtype} (${shape.join(', ')})`,
      { remedy: 'It is true for tokens and false for padding.' },
    )
}
