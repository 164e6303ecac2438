// Generates a target text for a source text; a prefix may name the task (Raffel et al., 2020).
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import { accuracy, chrf, rouge } from '../../metrics/index.ts'
import type { Seq2SeqLM } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { padded, padId, textBatch } from '../../pipelines/text-examples.ts'
import { writeTexts } from '../../pipelines/text2text-generation.ts'
import type { Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { defineTask } from '../define-task.ts'
import type { Distillation, EvaluateOptions, Evaluation, Task, TaskContext } from '../task.ts'
import { endOf, targetDistillation, targetLoss, targetReport, writtenExample } from './seq2seq.ts'
import { textIn } from './text.ts'

type Options = {
  sourceColumn: string
  targetColumn: string
  prefix: string
  labelSmoothing: number
}
type Context = TaskContext<Options, Record<string, never>, Tokenizer>

const shared = {
  columns: 'rows with a source and a target',
  options: z.object({
    sourceColumn: z.string().default('source').describe('column of the source text'),
    targetColumn: z.string().default('target').describe('column of the target text'),
    prefix: z.string().default('').describe('text before each source, such as "summarize: "'),
    labelSmoothing: z.number().min(0).max(1).default(0).describe('label smoothing'),
  }),
  defaults: { steps: null, epochs: 3, weightDecay: 0.01 },
  inputColumn: ({ sourceColumn }: Options) => sourceColumn,
  columnKeys: ['sourceColumn', 'targetColumn'],
  head: () => 'seq2seq-lm' as const,
  texts: (row: Row, { prefix, sourceColumn, targetColumn }: Options) => [
    prefix + textIn(row, sourceColumn),
    textIn(row, targetColumn),
  ],
}

export const text2TextGeneration = defineTask<Options, Record<string, never>, Tokenizer>({
  ...shared,
  name: 'text2text-generation',
  about: 'a target text for a source text, such as corrections; for t5',
  create: (context) => new Text2TextGeneration(context),
})

export const summarization = defineTask<Options, Record<string, never>, Tokenizer>({
  ...shared,
  name: 'summarization',
  about: 'summaries of texts; for t5',
  create: (context) => new Summarization(context),
})

interface Example {
  source: readonly number[]
  target: readonly number[]
  texts: readonly [source: string, target: string]
}

class Text2TextGeneration implements Task<Example, Seq2SeqLM> {
  readonly name: string = 'text2text-generation'
  readonly head = 'seq2seq-lm'
  readonly unit = 'tokens'
  private readonly context: Context

  constructor(context: Context) {
    this.context = context
  }

  encode(row: Row): Example[] {
    const { targetColumn } = this.context.options
    const [source, target] = [this.sourceOf(row), textIn(row, targetColumn)]
    return [{ source: this.ids(source), target: this.ids(target), texts: [source, target] }]
  }

  /** The longer of both sides, so that there are few shapes. */
  length({ source, target }: Example): number {
    return Math.max(source.length, target.length)
  }

  collate(examples: readonly Example[], length: number): Batch {
    const sources = examples.map(({ source }) => ({ ids: source }))
    const targets = examples.map(({ target }) => target)
    const longest = targets.reduce((most, target) => Math.max(most, target.length), 1)
    const room = Math.min(length, 2 ** Math.ceil(Math.log2(Math.max(8, longest))))
    return {
      ...textBatch(sources, length, padId(this.context.preprocessor)),
      labels: padded(targets, room, -100),
    }
  }

  get distillation(): Distillation<Seq2SeqLM> | undefined {
    return targetDistillation(this.context.options.labelSmoothing)
  }

  loss(model: Seq2SeqLM, batch: BatchTensors): Tensor {
    return targetLoss(model, batch, model.training ? this.context.options.labelSmoothing : 0)
  }

  /** Computes metrics of generated texts; the loss uses teacher forcing. */
  async evaluate(
    model: Seq2SeqLM,
    examples: readonly Example[],
    options: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const { show = 50 } = options
    const report = await targetReport(this, model, examples, this.context.preprocessor, options)
    const written = await this.write(
      model,
      examples.map(({ source }) => source),
    )
    const expectedTexts = examples.map(({ texts }) => texts[1].trim())
    return {
      metrics: {
        ...report.metrics,
        ...this.scores(written, expectedTexts),
      },
      examples: examples.slice(0, show).map(({ texts: [input] }, i) => ({
        input,
        ...writtenExample(written[i], expectedTexts[i], report.examples[i].scores),
      })),
    }
  }

  async predict(model: Seq2SeqLM, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    const texts = await this.write(
      model,
      rows.map((row) => this.ids(this.sourceOf(row))),
    )
    return texts.map((text) => this.result(text))
  }

  protected scores(texts: readonly string[], expected: readonly string[]): Record<string, number> {
    return { exact_match: accuracy(expected, texts), chrf: chrf(texts, expected) }
  }

  protected result(text: string): Record<string, unknown> {
    return { text }
  }

  private sourceOf(row: Row): string {
    const { prefix, sourceColumn } = this.context.options
    return prefix + textIn(row, sourceColumn)
  }

  /** Encodes a text; the end-of-text token is kept when it is truncated. */
  private ids(text: string): number[] {
    const { preprocessor: tokenizer, contextLength } = this.context
    return tokenizer.encodeWithOffsets(text, { maxLength: contextLength }).ids
  }

  private async write(
    model: Seq2SeqLM,
    sources: readonly (readonly number[])[],
  ): Promise<string[]> {
    const { preprocessor: targetTokenizer, contextLength } = this.context
    const texts = await writeTexts({ model, targetTokenizer }, sources, {
      stopTokens: endOf(targetTokenizer),
      maxTokens: () => contextLength,
      batchSize: 16,
    })
    return texts.map((text) => text.trim())
  }
}

class Summarization extends Text2TextGeneration {
  override readonly name = 'summarization'

  protected override scores(
    texts: readonly string[],
    expected: readonly string[],
  ): Record<string, number> {
    const { rouge1, rouge2, rougeL } = rouge(texts, expected)
    return { rouge1: rouge1.f1, rouge2: rouge2.f1, rougeL: rougeL.f1 }
  }

  protected override result(text: string): Record<string, unknown> {
    return { summary: text }
  }
}
