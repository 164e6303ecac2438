// Trains embeddings with similar vectors for texts that belong together. For each first text, the second texts of the
// other rows of a batch are the negatives (in-batch negatives; Henderson et al., 2017).
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import { meanReciprocalRank, rankOf, recallAt } from '../../metrics/index.ts'
import {
  readSentenceConfig,
  type SentenceConfig,
  SentenceEncoder,
  type TextEncoder,
} from '../../models/index.ts'
import type { Module } from '../../nn/index.ts'
import { pool } from '../../nn/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { indexOfMax } from '../../pipelines/scores.ts'
import { encoderInputs, padId, textBatch } from '../../pipelines/text-examples.ts'
import { arange, F, type Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import type { ContrastiveLoss } from '../cached-gradients.ts'
import { defineTask } from '../define-task.ts'
import type { EvaluateOptions, Evaluation, Task, TaskContext } from '../task.ts'
import { textIn } from './text.ts'

type Options = { firstColumn: string; secondColumn: string; temperature: number }
type Context = TaskContext<Options, Record<string, never>, Tokenizer>

export const featureExtraction = defineTask<Options, Record<string, never>, Tokenizer>({
  name: 'feature-extraction',
  about: 'text embeddings, similar for texts that belong together',
  columns: 'rows with two texts that belong together',
  options: z.object({
    firstColumn: z.string().default('sentence1').describe('column of the first text'),
    secondColumn: z.string().default('sentence2').describe('column of the second text'),
    temperature: z.number().positive().default(0.05).describe('divisor of cosine similarities'),
  }),
  defaults: { steps: null, epochs: 3, weightDecay: 0.01, batch: 32 },
  inputColumn: ({ firstColumn }) => firstColumn,
  columnKeys: ['firstColumn', 'secondColumn'],
  head: () => 'encoder',
  texts: (row, options) => pairIn(row, options),
  create: (context) => new FeatureExtraction(context),
})

const POOLING: SentenceConfig = { pooling: ['mean'], normalize: true }

interface Example {
  first: readonly number[]
  second: readonly number[]
  texts: readonly [string, string]
}

class FeatureExtraction implements Task<Example, TextEncoder> {
  readonly name = 'feature-extraction'
  readonly head = 'encoder'
  readonly unit = 'rows'
  private readonly context: Context
  private readonly encoders = new WeakMap<TextEncoder, SentenceEncoder>()
  /** The settings of a model that Heed did not train. */
  private config: SentenceConfig | undefined

  constructor(context: Context) {
    this.context = context
  }

  encode(row: Row): Example[] {
    const { preprocessor, contextLength, options } = this.context
    const texts = pairIn(row, options)
    const [first, second] = texts.map(
      (text) => preprocessor.encodeWithOffsets(text, { maxLength: contextLength }).ids,
    )
    return [{ first, second, texts }]
  }

  length({ first, second }: Example): number {
    return Math.max(first.length, second.length)
  }

  /** input_ids (B, 2, T) and lengths (B, 2): the first and the second text of each row. */
  collate(examples: readonly Example[], length: number): Batch {
    const texts = examples.flatMap(({ first, second }) => [{ ids: first }, { ids: second }])
    const { input_ids: ids, lengths } = textBatch(texts, length, padId(this.context.preprocessor))
    return {
      input_ids: { ...ids, shape: [examples.length, 2, length] },
      lengths: { ...lengths, shape: [examples.length, 2] },
    }
  }

  loss(model: TextEncoder, batch: BatchTensors): Tensor {
    const { represent, compare } = this.contrastive
    return compare(represent(model, batch))
  }

  readonly contrastive: ContrastiveLoss<TextEncoder> = {
    /** The vectors of the first and the second text of each row, (B, 2, C). */
    represent: (model, { input_ids, lengths }) => {
      const [rows, , tokens] = input_ids.shape
      const ids = input_ids.transpose(0, 1).reshape(-1, tokens) // (2B, T): all first texts, then all second texts
      const both = { input_ids: ids, lengths: lengths.transpose(0, 1).reshape(-1) }
      const { attentionMask } = encoderInputs(both)
      const states = model.forward(ids, { attentionMask })
      const vectors = F.normalize(pool(states, attentionMask as Tensor, 'mean'), { axis: -1 }) // (2B, C)
      return vectors.reshape(2, rows, -1).transpose(0, 1)
    },
    /** Cross-entropy of the matching second text among all second texts. */
    compare: (vectors) => {
      const cosines = vectors.select(1, 0).matmul(vectors.select(1, 1).transpose(0, 1)) // (B, B)
      const own = arange(vectors.shape[0])
      return F.crossEntropy(cosines.div(this.context.options.temperature), own)
    },
  }

  /** The loss where each first text is compared with all second texts, not only with those of its batch. */
  async heldOutLoss(
    model: TextEncoder,
    examples: readonly Example[],
    batchSize: number,
  ): Promise<number> {
    return this.meanLoss(await this.scores(model, examples, batchSize))
  }

  /** Ranks all second texts for each first text. */
  async evaluate(
    model: TextEncoder,
    examples: readonly Example[],
    { batchSize = 16, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const scores = await this.scores(model, examples, batchSize)
    const ranks = scores.map((row, i) => rankOf(row, i))
    return {
      metrics: {
        loss: this.meanLoss(scores),
        mrr: meanReciprocalRank(ranks),
        recall_at_1: recallAt(1, ranks),
        recall_at_10: recallAt(10, ranks),
      },
      examples: examples.slice(0, show).map(({ texts: [input, expected] }, i) => {
        const best = indexOfMax(scores[i])
        return {
          input,
          expected,
          predicted: examples[best].texts[1],
          right: ranks[i] === 1,
          scores: { rank: ranks[i], cosine: scores[i][i], 'cosine of predicted': scores[i][best] },
          difficulty: ranks[i],
        }
      }),
    }
  }

  /** The cosine similarity of each first text to all second texts. */
  private async scores(
    model: TextEncoder,
    examples: readonly Example[],
    batchSize: number,
  ): Promise<number[][]> {
    const encoder = this.encoder(model)
    const sides = [0, 1].map((side) => examples.map(({ texts }) => texts[side]))
    const first = await encoder.embed(sides[0], { batchSize })
    const second = await encoder.embed(sides[1], { batchSize })
    return first.map((vector) => second.map((other) => dot(vector, other)))
  }

  private meanLoss(scores: readonly (readonly number[])[]): number {
    const { temperature } = this.context.options
    const losses = scores.map((row, i) => {
      const most = row.reduce((a, b) => Math.max(a, b))
      const sum = row.reduce((total, score) => total + Math.exp((score - most) / temperature), 0)
      return Math.log(sum) - (row[i] - most) / temperature
    })
    return losses.reduce((a, b) => a + b, 0) / losses.length
  }

  async predict(model: TextEncoder, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    const texts = rows.map((row) => textIn(row, this.context.options.firstColumn))
    const vectors = await this.encoder(model).embed(texts)
    return vectors.map((vector) => ({ embedding: Array.from(vector) }))
  }

  /** Writes the files of sentence-transformers. */
  async saveBeside(folder: string, model: Module): Promise<void> {
    await this.encoder(model as TextEncoder).saveSettings(folder)
  }

  async usePublished(folder: string): Promise<void> {
    const { config } = await readSentenceConfig(folder)
    this.config = config
  }

  /** The encoder of a model, which is kept because it holds compiled programs. */
  private encoder(model: TextEncoder): SentenceEncoder {
    const made = this.encoders.get(model)
    if (made) return made
    const { preprocessor, contextLength } = this.context
    const maxTokens = Number.isFinite(contextLength) ? contextLength : undefined
    const config = this.config ?? { ...POOLING, maxTokens }
    const encoder = new SentenceEncoder(model, preprocessor, config)
    this.encoders.set(model, encoder)
    return encoder
  }
}

const pairIn = (row: Row, { firstColumn, secondColumn }: Options): [string, string] => [
  textIn(row, firstColumn),
  textIn(row, secondColumn),
]

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0)
