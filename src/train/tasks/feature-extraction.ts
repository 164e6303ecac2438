// Texts that belong together get vectors near each other; the seconds of the other rows of a batch are
// what each first is to be told from (in-batch negatives; Henderson et al., 2017).
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
import { defineTask } from '../define-task.ts'
import type { EvaluateOptions, Evaluation, Task, TaskContext } from '../task.ts'
import { textIn } from './text.ts'

type Options = { firstColumn: string; secondColumn: string; temperature: number }
type Context = TaskContext<Options, Record<string, never>, Tokenizer>

export const featureExtraction = defineTask<Options, Record<string, never>, Tokenizer>({
  name: 'feature-extraction',
  about: 'vectors of texts, near each other where two texts belong together',
  columns: 'rows with two texts that belong together',
  options: z.object({
    firstColumn: z.string().default('sentence1').describe('the column of the first text'),
    secondColumn: z
      .string()
      .default('sentence2')
      .describe('the column of the one that belongs to it'),
    temperature: z.number().positive().default(0.05).describe('what cosines are divided by'),
  }),
  defaults: { steps: null, epochs: 3, weightDecay: 0.01, batch: 32, evalBatches: 50 },
  inputColumn: ({ firstColumn }) => firstColumn,
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
  /** Of a model that Heed did not train. */
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

  /** (2B, T): all first texts, then all second ones. */
  collate(examples: readonly Example[], length: number): Batch {
    const rows = [...examples.map(({ first }) => first), ...examples.map(({ second }) => second)]
    const all = rows.map((ids) => ({ ids }))
    return textBatch(all, length, padId(this.context.preprocessor))
  }

  loss(model: TextEncoder, batch: BatchTensors): Tensor {
    const { attentionMask } = encoderInputs(batch)
    const states = model.forward(batch.input_ids, { attentionMask })
    const vectors = F.normalize(pool(states, attentionMask as Tensor, 'mean'), { axis: -1 }) // (2B, C)
    const [first, second] = vectors.chunk(2, 0)
    const cosines = first.matmul(second.transpose(0, 1)) // (B, B)
    const own = arange(first.shape[0])
    return F.crossEntropy(cosines.div(this.context.options.temperature), own)
  }

  /** How far ahead the right second text comes among all of them. */
  async evaluate(
    model: TextEncoder,
    examples: readonly Example[],
    { batchSize = 16, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const encoder = this.encoder(model)
    const [first, second] = await Promise.all(
      [0, 1].map((side) =>
        encoder.embed(
          examples.map(({ texts }) => texts[side]),
          { batchSize },
        ),
      ),
    )
    const scores = first.map((vector) => second.map((other) => dot(vector, other)))
    const ranks = scores.map((row, i) => rankOf(row, i))
    return {
      metrics: {
        mrr: meanReciprocalRank(ranks),
        recall_at_1: recallAt(1, ranks),
        recall_at_10: recallAt(10, ranks),
      },
      examples: examples.slice(0, show).map(({ texts: [input, expected] }, i) => {
        const best = indexOfMax(scores[i])
        return { input, expected, predicted: examples[best].texts[1], right: ranks[i] === 1 }
      }),
    }
  }

  async predict(model: TextEncoder, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    const texts = rows.map((row) => textIn(row, this.context.options.firstColumn))
    const vectors = await this.encoder(model).embed(texts)
    return vectors.map((vector) => ({ embedding: Array.from(vector) }))
  }

  /** The files of sentence-transformers. */
  async saveBeside(folder: string, model: Module): Promise<void> {
    await this.encoder(model as TextEncoder).saveSettings(folder)
  }

  async usePublished(folder: string): Promise<void> {
    const { config } = await readSentenceConfig(folder)
    this.config = config
  }

  private encoder(model: TextEncoder): SentenceEncoder {
    const { preprocessor, contextLength } = this.context
    if (this.config) return new SentenceEncoder(model, preprocessor, this.config)
    const maxTokens = Number.isFinite(contextLength) ? contextLength : undefined
    return new SentenceEncoder(model, preprocessor, { ...POOLING, maxTokens })
  }
}

const pairIn = (row: Row, { firstColumn, secondColumn }: Options): [string, string] => [
  textIn(row, firstColumn),
  textIn(row, secondColumn),
]

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0)
