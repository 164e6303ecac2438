import type { TypedArray } from '../graph/dtype.ts'
import { logSumExp } from './log-probabilities.ts'
import { rowOf, type StepModel } from './step-model.ts'

/**
 * Classifier-free guidance (Sanchez et al., 2023): moves log-probabilities away from the log-probabilities for the last
 * token of the prompt alone. A scale of 1 has no effect.
 */
export class GuidedModel implements StepModel {
  private readonly model: StepModel
  private readonly unprompted: StepModel
  private readonly scale: number

  /** @param unprompted the same model with a separate cache */
  constructor(model: StepModel, unprompted: StepModel, scale: number) {
    this.model = model
    this.unprompted = unprompted
    this.scale = scale
  }

  async start(prompts: readonly (readonly number[])[]): Promise<TypedArray> {
    const logits = await this.model.start(prompts)
    const others = await this.unprompted.start(prompts.map((prompt) => prompt.slice(-1)))
    return this.guided(logits, others, prompts.length)
  }

  async next(tokens: readonly number[], order?: readonly number[]): Promise<TypedArray> {
    const logits = await this.model.next(tokens, order)
    const others = await this.unprompted.next(tokens, order)
    return this.guided(logits, others, tokens.length)
  }

  /** other + scale · (prompted − other), in log-probabilities. */
  private guided(logits: TypedArray, others: TypedArray, rows: number): TypedArray {
    const out = new Float32Array(logits.length)
    for (let row = 0; row < rows; row++) {
      const [prompted, other] = [rowOf(logits, row, rows), rowOf(others, row, rows)]
      const [norm, otherNorm] = [logSumExp(prompted), logSumExp(other)]
      const start = row * prompted.length
      for (let i = 0; i < prompted.length; i++) {
        const from = other[i] - otherNorm
        out[start + i] = from + this.scale * (prompted[i] - norm - from)
      }
    }
    return out
  }
}
