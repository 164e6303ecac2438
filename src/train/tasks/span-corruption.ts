// Span corruption (Raffel et al., 2020): spans of a text are removed, and the model generates them.
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import { generateSeq2Seq } from '../../generate/index.ts'
import type { Seq2SeqLM } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import type { Draw } from '../../pipelines/run-examples.ts'
import { padded, padId, textBatch } from '../../pipelines/text-examples.ts'
import type { Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { HeedError } from '../../util/errors.ts'
import { defineTask } from '../define-task.ts'
import { Draws } from '../draws.ts'
import type { EvaluateOptions, Evaluation, Task, TaskContext } from '../task.ts'
import { documentOptions, sentencesOf, windowsOf } from './documents.ts'
import { targetLoss, targetReport } from './seq2seq.ts'
import { type Corrupted, drawSpans, spanCounts, takeSpans } from './spans.ts'
import { textIn } from './text.ts'

type Options = {
  textColumn: string
  unit: 'line' | 'paragraph' | 'file'
  noiseShare: number
  spanLength: number
}
type Context = TaskContext<Options, Record<string, never>, Tokenizer>

export const spanCorruption = defineTask<Options, Record<string, never>, Tokenizer>({
  name: 'span-corruption',
  about: 'removed spans of a text, for pre-training t5',
  columns: 'text files, each a document, or rows with a text',
  options: z.object({
    ...documentOptions,
    noiseShare: z.number().gt(0).lt(0.9).default(0.15).describe('fraction of the tokens to remove'),
    spanLength: z.number().min(1).default(3).describe('mean number of tokens in a span'),
  }),
  defaults: { dropout: 0, weightDecay: 0.01, lr: 1e-3, steps: 2000 },
  inputColumn: ({ textColumn }) => textColumn,
  columnKeys: ['textColumn'],
  rowOptions: ({ unit }) => ({ unit }),
  isObjective: true,
  head: () => 'seq2seq-lm',
  texts: (row, options) => [textIn(row, options.textColumn)],
  create: (context) => new SpanCorruption(context),
})

/** The ids of a text and the spans drawn for it; undefined if each batch draws its own. */
interface Example {
  ids: readonly number[]
  drawn?: Corrupted
}

class SpanCorruption implements Task<Example, Seq2SeqLM> {
  readonly name = 'span-corruption'
  readonly head = 'seq2seq-lm'
  readonly unit = 'tokens'
  private readonly context: Context
  readonly sentinels: number[]
  readonly end: number

  constructor(context: Context) {
    const { preprocessor: tokenizer, contextLength } = context
    this.context = context
    this.sentinels = sentinelsOf(tokenizer)
    const { spans } = spanCounts(contextLength, context.options)
    if (tokenizer.eosTokenId === undefined || this.sentinels.length < spans)
      throw new HeedError(
        'unsupported',
        `The tokenizer must have an end-of-text token and ${spans} sentinels for ${contextLength} tokens, got ${this.sentinels.length} sentinels`,
        { remedy: 'Use a T5 tokenizer, a shorter `context`, or a longer `spanLength`.' },
      )
    this.end = tokenizer.eosTokenId
  }

  encode(row: Row): Example[] {
    const { preprocessor: tokenizer, contextLength, options } = this.context
    const ids = sentencesOf(textIn(row, options.textColumn)).flatMap((sentence) =>
      tokenizer.encode(sentence, { addSpecialTokens: false }),
    )
    const windows = windowsOf(ids, contextLength).filter(({ length }) => length > 1)
    return windows.map((ids) => ({ ids }))
  }

  length({ ids }: Example): number {
    return ids.length
  }

  fixDraws(examples: readonly Example[]): Example[] {
    if (examples.every(({ drawn }) => drawn)) return [...examples]
    const draws = new Draws({ seed: 0, step: 0 }, 'spans')
    return examples.map(({ ids }) => ({ ids, drawn: this.corrupt(ids, draws) }))
  }

  collate(examples: readonly Example[], length: number, draw: Draw): Batch {
    const draws = new Draws(draw, 'spans')
    const rows = examples.map(({ ids, drawn }) => drawn ?? this.corrupt(ids, draws))
    const { noise, spans } = spanCounts(length, this.context.options)
    const sources = rows.map(({ source }) => ({ ids: source }))
    return {
      ...textBatch(sources, length - noise + spans + 1, padId(this.context.preprocessor)),
      labels: padded(
        rows.map(({ target }) => target),
        noise + spans + 1,
        -100,
      ),
    }
  }

  loss(model: Seq2SeqLM, batch: BatchTensors): Tensor {
    return targetLoss(model, batch)
  }

  evaluate(
    model: Seq2SeqLM,
    examples: readonly Example[],
    options?: EvaluateOptions,
  ): Promise<Evaluation> {
    const fixed = this.fixDraws(examples)
    return targetReport(this, model, fixed, this.context.preprocessor, options)
  }

  /** Predicts the spans for the sentinels `<extra_id_0>` … of each text. */
  async predict(model: Seq2SeqLM, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    const { preprocessor: tokenizer, options } = this.context
    const sources = rows.map((row) => tokenizer.encode(textIn(row, options.textColumn)))
    model.eval()
    const written = await generateSeq2Seq(model, sources, { stopTokens: [this.end], maxTokens: 64 })
    return written.map((ids) => ({ spans: tokenizer.decode(ids) }))
  }

  private corrupt(ids: readonly number[], draws: Draws): Corrupted {
    return takeSpans(ids, drawSpans(ids.length, this.context.options, draws), this)
  }
}

function sentinelsOf(tokenizer: Tokenizer): number[] {
  const ids: number[] = []
  for (let i = 0; ; i++) {
    const id = tokenizer.tokenToId(`<extra_id_${i}>`)
    if (id === undefined) return ids
    ids.push(id)
  }
}
