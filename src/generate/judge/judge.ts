import { checkHead } from '../../models/check-head.ts'
import type { CausalLM } from '../../models/index.ts'
import type { ChatMessage, Tokenizer } from '../../tokenizers/index.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { invalidOption } from '../../util/errors.ts'
import { optionKinds, ruleOf } from '../../util/options.ts'
import { BatchDecoder } from '../batch-decoder.ts'
import { inBatches } from '../in-batches.ts'
import { rowOf } from '../step-model.ts'
import { type Attribute, attributes, encodeResponse, judgementTokens, type Ratings, } from './attributes.ts' // biome-ignore format: one line

/** Options of `Judge`. */
export interface JudgeOptions {
  /** The attributes that the model was trained to judge. Default: all. */
  attributes?: readonly Attribute[]
  /** Number of judgements in a batch. Default 16. */
  batchSize?: number
}

const checkJudge = argumentKinds('Judge', {
  model: 'model',
  tokenizer: 'tokenizer',
  options: optionKinds<JudgeOptions>({
    attributes: 'texts?',
    batchSize: { ...ruleOf('size?'), try: [16] },
  }),
})
const checkRate = argumentKinds('Judge.rate', { context: 'objects', responses: 'texts' })

/**
 * Judges responses with a language model (LaMDA; Thoppilan et al., 2022, section 5): the probability of an attribute is
 * that of the token 1 against the token 0 after the context, the response and the name of the attribute. Train the model
 * with the task `lamda`; `openJudge` of heed/train opens its run.
 */
export class Judge {
  /** The attributes that are judged. */
  readonly attributes: readonly Attribute[]
  readonly #model: CausalLM
  readonly #tokenizer: Tokenizer
  readonly #batchSize: number
  readonly #decoder: BatchDecoder

  /** @throws HeedError for a model that does not generate text, and for unknown attributes */
  constructor(model: CausalLM, tokenizer: Tokenizer, options: JudgeOptions = {}) {
    checkJudge(model, tokenizer, options)
    checkHead('Judge', model, 'causal-lm')
    const { attributes: judged = attributes, batchSize = 16 } = options
    const isKnown = (name: string): boolean => attributes.some((attribute) => attribute === name)
    if (judged.length === 0 || !judged.every(isKnown))
      throw invalidOption({
        owner: 'Judge',
        key: 'attributes',
        value: judged,
        expected: `a list of ${attributes.join(', ')}`,
        remedy: 'Name the attributes that the model was trained to judge.',
      })
    this.attributes = judged
    this.#model = model
    this.#tokenizer = tokenizer
    this.#batchSize = batchSize
    this.#decoder = new BatchDecoder(model, { maxTokens: 1, sharePrefix: true })
  }

  /**
   * Judges responses to the same context, in batches. The start of a conversation that is longer than the context length
   * of the model is not read.
   * @returns for each response, the probabilities of its attributes
   */
  async rate(context: readonly ChatMessage[], responses: readonly string[]): Promise<Ratings[]> {
    checkRate(context, responses)
    const tokens = this.attributes.map((attribute) => judgementTokens(this.#tokenizer, attribute))
    const rows: { ids: number[]; yes: number; no: number }[] = []
    for (const response of responses) {
      const { ids } = await encodeResponse(this.#tokenizer, context, response)
      for (const { question, yes, no } of tokens) {
        const all = [...ids, ...question].slice(1 - this.#model.contextLength)
        rows.push({ ids: all, yes, no })
      }
    }
    const shares = await inBatches(rows, this.#batchSize, async (batch) => {
      const logits = await this.#decoder.start(batch.map(({ ids }) => ids))
      return batch.map(({ yes, no }, row) => {
        const ofRow = rowOf(logits, row, batch.length)
        return 1 / (1 + Math.exp(Number(ofRow[no]) - Number(ofRow[yes])))
      })
    })
    const { length } = this.attributes
    return responses.map((_, i) =>
      Object.fromEntries(this.attributes.map((name, at) => [name, shares[i * length + at]])),
    )
  }
}
