// Translation (Vaswani et al., 2017). Training uses teacher forcing: each token is predicted from the correct previous
// tokens.
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import { bleu, chrf } from '../../metrics/index.ts'
import type { Seq2SeqLM } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { padded, padId, textBatch } from '../../pipelines/text-examples.ts'
import { translation as pipeline, writeTexts } from '../../pipelines/text2text-generation.ts'
import type { Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { HeedError } from '../../util/errors.ts'
import { defineTask } from '../define-task.ts'
import type { Distillation, EvaluateOptions, Evaluation, Task, TaskContext } from '../task.ts'
import { endOf, targetDistillation, targetLoss, targetReport, writtenExample } from './seq2seq.ts'
import { textIn } from './text.ts'
import { textTokenizer, vocabularyConfig } from './text-tokenizer.ts'
import { openTokenizers, type TextPairTokenizers, tokenizersOf } from './translation-tokenizers.ts'

type Options = {
  sourceColumn: string
  targetColumn: string
  prefix: string
  labelSmoothing: number
  beams: number
}
type Context = TaskContext<Options, Record<string, never>, TextPairTokenizers>

export const translation = defineTask<Options, Record<string, never>, TextPairTokenizers>({
  name: 'translation',
  about: 'translations of texts; for t5, marian and seq2seq_rnn',
  columns: 'rows with a source and a target, or with both in a column `translation`',
  options: z.object({
    sourceColumn: z.string().default('source').describe('column of the source text, such as en'),
    targetColumn: z.string().default('target').describe('column of the target text, such as de'),
    prefix: z.string().default('').describe("text before each source, such as 'translate English to French: '"), // biome-ignore format: one line
    labelSmoothing: z.number().min(0).lt(1).default(0.1).describe('label smoothing'),
    beams: z.int().min(1).max(64).default(1).describe('number of beams in evaluation'),
  }),
  defaults: { dropout: 0.1, weightDecay: 0.01, batch: 32, beta2: 0.98 },
  inputColumn: ({ sourceColumn }) => sourceColumn,
  head: () => 'seq2seq-lm',
  preprocessor: async (setup) =>
    setup.from === undefined
      ? tokenizersOf(await textTokenizer(setup, (row) => pairOf(row, setup.options)))
      : openTokenizers(setup.from),
  openPreprocessor: (folder) => openTokenizers(folder),
  newModelConfig: ({ preprocessor, modelType }) => vocabularyConfig(preprocessor.source, modelType),
  create: (context) => new Translation(context),
})

interface Example {
  ids: readonly number[]
  /** Ids of the target, with the end-of-text token. */
  labels: readonly number[]
  source: string
  target: string
}

class Translation implements Task<Example, Seq2SeqLM> {
  readonly name = 'translation'
  readonly head = 'seq2seq-lm'
  readonly unit = 'tokens'
  private readonly context: Context
  /** Whether Heed did not train the model; its generation_config.json then limits the length of translations. */
  private isPublished = false

  constructor(context: Context) {
    this.context = context
  }

  encode(row: Row): Example[] {
    const [source, target] = pairOf(row, this.context.options)
    const labels = this.ids(this.context.preprocessor.target, target, 'target')
    return [{ ...this.encodeSource(source), labels, target }]
  }

  private encodeSource(source: string): Pick<Example, 'ids' | 'source'> {
    const { options, preprocessor } = this.context
    return { ids: this.ids(preprocessor.source, options.prefix + source, 'source'), source }
  }

  /** Encodes a text, truncated to the context length with its end-of-text token. */
  private ids(tokenizer: Tokenizer, text: string, what: string): number[] {
    const { eosTokenId: end } = tokenizer
    const { ids } = tokenizer.encodeWithOffsets(text)
    const inner = end !== undefined && ids.at(-1) === end ? ids.slice(0, -1) : ids
    if (inner.length === 0)
      throw new HeedError('invalid-data', `the ${what} must have tokens, got none`)
    const ended = end === undefined ? [] : [end]
    return [...inner.slice(0, this.context.contextLength - ended.length), ...ended]
  }

  length({ ids, labels }: Example): number {
    return Math.max(ids.length, labels.length)
  }

  collate(examples: readonly Example[], length: number): Batch {
    const labels = examples.map((example) => example.labels)
    const batch = textBatch(examples, length, padId(this.context.preprocessor.source))
    return { ...batch, labels: padded(labels, length, IGNORED) }
  }

  get distillation(): Distillation<Seq2SeqLM> | undefined {
    return targetDistillation(this.context.options.labelSmoothing)
  }

  loss(model: Seq2SeqLM, batch: BatchTensors): Tensor {
    return targetLoss(model, batch, model.training ? this.context.options.labelSmoothing : 0)
  }

  /** Computes metrics of translations. The loss uses teacher forcing and no label smoothing. */
  async evaluate(
    model: Seq2SeqLM,
    examples: readonly Example[],
    options: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const report = await targetReport(
      this,
      model,
      examples,
      this.context.preprocessor.target,
      options,
    )
    const written = await this.write(model, examples, options.batchSize)
    const expectedTexts = examples.map(({ target }) => target.trim())
    return {
      metrics: {
        ...report.metrics,
        bleu: bleu(written, expectedTexts),
        chrf: chrf(written, expectedTexts),
        'chrf++': chrf(written, expectedTexts, { wordOrder: 2 }),
      },
      examples: examples.slice(0, options.show ?? 50).map(({ source }, i) => ({
        input: source,
        ...writtenExample(written[i], expectedTexts[i], report.examples[i].scores),
      })),
    }
  }

  async predict(model: Seq2SeqLM, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    const sources = rows.map((row) => sourceOf(row, this.context.options))
    const translations = this.isPublished
      ? await this.translate(model, sources)
      : await this.write(model, sources.map((source) => this.encodeSource(source))) // biome-ignore format: one line
    return translations.map((translation) => ({ translation }))
  }

  async usePublished(): Promise<void> {
    this.isPublished = true
  }

  private async translate(model: Seq2SeqLM, sources: readonly string[]): Promise<string[]> {
    const { preprocessor, options } = this.context
    const { source: tokenizer, target: targetTokenizer } = preprocessor
    const translate = pipeline({ model, tokenizer, targetTokenizer })
    const beams = options.beams > 1 ? options.beams : undefined
    const results = await translate(sources.map((text) => options.prefix + text), { beams }) // biome-ignore format: one line
    return results.map((result) => result.translation_text)
  }

  /** Translates; the limit is twice the length of the source plus ten tokens. */
  private async write(
    model: Seq2SeqLM,
    sources: readonly Pick<Example, 'ids'>[],
    batchSize = 16,
  ): Promise<string[]> {
    const { preprocessor, options, contextLength } = this.context
    const { target: targetTokenizer } = preprocessor
    const texts = await writeTexts(
      { model, targetTokenizer },
      sources.map(({ ids }) => ids),
      {
        stopTokens: endOf(targetTokenizer),
        generationConfig: { forced_eos_token_id: null }, // it would truncate the last word at the limit
        maxTokens: (length) => Math.min(2 * length + 10, contextLength - 1),
        beams: options.beams,
        batchSize,
      },
    )
    return texts.map((text) => text.trim())
  }
}

function pairOf(row: Row, options: Options): [string, string] {
  return [sourceOf(row, options), textIn(inner(row), options.targetColumn)]
}

const sourceOf = (row: Row, { sourceColumn }: Options): string => textIn(inner(row), sourceColumn)

/** Hub data sets keep both languages in one column: {translation: {en, fr}}. */
function inner(row: Row): Row {
  const { translation: both } = row.values
  return both && typeof both === 'object'
    ? { ...row, values: both as Record<string, unknown> }
    : row
}

const IGNORED = -100
