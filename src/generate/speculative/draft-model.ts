import type { CausalLM } from '../../models/index.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { optionKinds } from '../../util/options.ts'
import { drawFrom } from '../candidates.ts'
import { Decoder } from '../decoder.ts'
import { checkWhole, processed, type Text } from '../processors/processor.ts'
import { createSampler, type Sampler, type SamplingOptions } from '../sampling.ts'
import { type Draft, Drafter, type DraftRules, foreignToken } from './drafter.ts'

/** Options of `DraftModel`. */
export interface DraftModelOptions {
  /** Number of tokens to propose at a time. Default 3. */
  tokens?: number
  /** Context length of the draft model in tokens. Default: the maximum of the model. */
  contextLength?: number
}

const checkDraftModel = argumentKinds('DraftModel', {
  model: 'model',
  options: optionKinds<DraftModelOptions>({ tokens: 'size?', contextLength: 'size?' }),
})

/** Proposes tokens with a smaller model that has the same vocabulary (speculative decoding; Leviathan et al., 2023). */
export class DraftModel extends Drafter {
  private readonly decoder: Decoder
  private readonly most: number
  private readonly vocabSize: number
  private draw: { rules: SamplingOptions; sampler: Sampler } | null = null

  /**
   * Proposes tokens with a smaller model, which must have the vocabulary of the main one.
   * @throws HeedError for a model that does not generate text, and unless `tokens` is a whole number from 1
   */
  constructor(model: CausalLM, options: DraftModelOptions = {}) {
    checkDraftModel(model, options)
    const { tokens = 3, contextLength } = options
    super()
    checkWhole('tokens', tokens, 1)
    this.decoder = new Decoder(model, contextLength)
    this.most = tokens
    this.vocabSize = model.vocabSize
  }

  async propose(text: Text, count: number, { sampling, processors }: DraftRules): Promise<Draft[]> {
    if (this.draw?.rules !== sampling)
      this.draw = { rules: sampling, sampler: createSampler(sampling, DRAFTS) }
    const { sampler } = this.draw
    const tokens = [...text.tokens]
    const unknown = tokens.find((token) => token >= this.vocabSize)
    if (unknown !== undefined) throw foreignToken('text', 'draft model', this.vocabSize, unknown)
    const drafts: Draft[] = []
    while (drafts.length < Math.min(count, this.most)) {
      // Accepted drafts are still in the decoder's cache.
      const logits = await this.decoder.start([tokens])
      const scores = processed(logits, processors, { ...text, tokens })
      const from = sampler.candidates(scores)
      const token = drawFrom(from, sampler.random())
      drafts.push({ token, from: { tokens: from.tokens.slice(), weights: from.weights.slice() } })
      tokens.push(token)
    }
    return drafts
  }
}

/** The stream of random numbers for drafts; texts use other streams. */
const DRAFTS = 0x7fffffff
