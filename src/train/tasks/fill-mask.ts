// Masked tokens, and whether one text follows the other (Devlin et al., 2019). What is masked, and
// which second texts are exchanged, is drawn anew for each batch.
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import {
  type MaskedLM,
  type MaskedLMOptions,
  modelDefinition,
  type Pretraining,
} from '../../models/index.ts'
import { guessTokens, type TokenPredictor } from '../../pipelines/fill-mask.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { type Draw, runExamples } from '../../pipelines/run-examples.ts'
import { encoderInputs, encodeTexts, padId, textBatch } from '../../pipelines/text-examples.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { HeedError } from '../../util/errors.ts'
import { deriveSeed, randomUniform } from '../../util/random.ts'
import { defineTask } from '../define-task.ts'
import { Draws } from '../draws.ts'
import type { EvaluateOptions, Evaluation, Task, TaskContext } from '../task.ts'
import { documentOptions, segmentPairs, sentencesOf, windowsOf } from './documents.ts'
import { type Masked, Masking } from './masking.ts'
import { textIn } from './text.ts'

type Options = {
  textColumn: string
  unit: 'line' | 'paragraph' | 'file'
  nextSentence: boolean | null
  maskShare: number
}
type Context = TaskContext<Options, Record<string, never>, Tokenizer>

export const fillMask = defineTask<Options, Record<string, never>, Tokenizer>({
  name: 'fill-mask',
  about: 'tokens that are masked, and for bert whether one text follows another',
  columns: 'text files, each a document, or rows with a text',
  options: z.object({
    ...documentOptions,
    nextSentence: z
      .boolean()
      .nullable()
      .default(null)
      .describe('train on next-sentence prediction too (default: for bert)')
      .meta({ off: 'train without next-sentence prediction' }),
    maskShare: z.number().gt(0).lt(1).default(0.15).describe('share of the tokens that are chosen'),
  }),
  defaults: { dropout: 0.1, weightDecay: 0.01, evalBatches: 20, steps: 2000 },
  inputColumn: ({ textColumn }) => textColumn,
  rowOptions: ({ unit }) => ({ unit }),
  publishedOptions: { nextSentence: false },
  head: (modelType, { nextSentence }) =>
    nextSentence === null
      ? (modelDefinition(modelType).maskedLanguageModeling ?? 'masked-lm')
      : nextSentence
        ? 'pretraining'
        : 'masked-lm',
  texts: (row, options) => [textIn(row, options.textColumn)],
  create: (context) => new FillMask(context),
})

interface Example {
  /** Without special tokens; `second` is empty where no pairs are made. */
  first: readonly number[]
  second: readonly number[]
  document: string
}

class FillMask implements Task<Example, MaskedLM | Pretraining> {
  readonly name = 'fill-mask'
  readonly head: 'masked-lm' | 'pretraining'
  readonly unit = 'tokens'
  private readonly context: Context
  private readonly masking: Masking
  private readonly around: { start: number[]; middle: number[]; end: number[] }

  constructor(context: Context) {
    const { preprocessor: tokenizer, options, modelType } = context
    const { maskTokenId: mask, clsTokenId: cls, sepTokenId: sep } = tokenizer
    if (mask === undefined || cls === undefined || sep === undefined)
      throw new HeedError('unsupported', 'The tokenizer must have mask, cls and sep tokens', {
        remedy: 'Leave out `tokenizer`, or use the tokenizer of a BERT model.',
      })
    this.context = context
    this.head = fillMask.head(modelType, options) as 'masked-lm' | 'pretraining'
    this.masking = new Masking(tokenizer, mask, options.maskShare)
    this.around = { start: [cls], middle: [sep], end: [sep] }
  }

  encode(row: Row): Example[] {
    const { preprocessor: tokenizer, contextLength, options } = this.context
    const text = textIn(row, options.textColumn)
    const document = `${row.file}:${row.number}`
    if (this.head === 'pretraining') {
      const seed = deriveSeed(row.number, text.slice(0, 200)) // not by the file, which may move
      const cut = (n: number): number => randomUniform(seed, 0, n)
      const pairs = segmentPairs(text, tokenizer, contextLength - 3, cut)
      return pairs.map((pair) => ({ ...pair, document }))
    }
    const ids = sentencesOf(text).flatMap((sentence) =>
      tokenizer.encode(sentence, { addSpecialTokens: false }),
    )
    const windows = windowsOf(ids, contextLength - 2)
    return windows.map((first) => ({ first, second: [], document }))
  }

  length({ first, second }: Example): number {
    return first.length + second.length + (this.head === 'pretraining' ? 3 : 2)
  }

  collate(examples: readonly Example[], length: number, draw: Draw): Batch {
    const draws = new Draws(draw, 'masking')
    const pairs = this.head === 'pretraining'
    const follows = examples.map(() => !pairs || draws.next() < 0.5)
    const rows = examples.map((example, i) => {
      const other = follows[i] ? undefined : otherDocument(examples, i, draws)
      if (!other) follows[i] = true
      const { ids, typeIds } = this.assemble(example.first, (other ?? example).second, length)
      return { ...this.masking.apply(ids, draws), typeIds: pairs ? typeIds : undefined }
    })
    const batch = {
      ...textBatch(rows, length, padId(this.context.preprocessor)),
      ...this.chosenPlaces(rows, length),
    }
    if (!pairs) return batch
    const answers = Int32Array.from(follows, (yes) => (yes ? 0 : 1))
    return { ...batch, next_sentence: { data: answers, shape: [examples.length] } }
  }

  /** Where tokens are masked, and what stood there, in as many places for each batch of a shape. */
  private chosenPlaces(rows: readonly Masked[], length: number): Batch {
    const { maskShare } = this.context.options
    const expected = rows.length * (1 + length * maskShare)
    const room = Math.ceil(expected + 4 * Math.sqrt(expected)) // what goes beyond, hardly ever, is left out
    const places = rows.flatMap(({ labels }, row) =>
      labels.flatMap((label, i) => (label >= 0 ? [{ at: row * length + i, label }] : [])),
    )
    const chosen = places.slice(0, room)
    return {
      places: {
        data: filled(
          room,
          0,
          chosen.map(({ at }) => at),
        ),
        shape: [room],
      },
      labels: {
        data: filled(
          room,
          -100,
          chosen.map(({ label }) => label),
        ),
        shape: [room],
      },
    }
  }

  loss(model: MaskedLM | Pretraining, batch: BatchTensors): Tensor {
    const { input_ids, labels, next_sentence: nextSentence } = batch
    const options = { ...encoderInputs(batch), logitsAt: batch.places }
    if (nextSentence)
      return (model as Pretraining).loss(input_ids, { tokens: labels, nextSentence }, options)
    return (model as MaskedLM).loss(input_ids, labels, options)
  }

  async evaluate(
    model: MaskedLM | Pretraining,
    examples: readonly Example[],
    { batchSize = 16, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const tokenizer = this.context.preprocessor
    const rows = await runExamples(examples, {
      batching: this,
      model,
      batchSize,
      forward: (batch) => {
        const options = { ...encoderInputs(batch), logitsAt: batch.places }
        const { tokens, nextSentence } = this.logits(model, batch.input_ids, options)
        const losses = F.crossEntropy(tokens, batch.labels, { reduction: 'none' })
        const next = nextSentence ? [nextSentence.argmax(-1).eq(batch.next_sentence).to('i32')] : []
        const { input_ids, places, labels } = batch
        return [input_ids, places, labels, tokens.argmax(-1), losses, ...next]
      },
      read: ([ids, places, labels, guesses, losses, next], row, _, width) => {
        const chosen = Array.from(labels, (_, i) => i).filter(
          (i) => labels[i] >= 0 && Math.floor(places[i] / width) === row,
        )
        return {
          ids: Array.from(ids.subarray(row * width, (row + 1) * width)),
          expected: chosen.map((i) => labels[i]),
          predicted: chosen.map((i) => guesses[i]),
          loss: chosen.reduce((sum, i) => sum + losses[i], 0),
          next: next?.[row],
        }
      },
    })
    const sum = (of: (row: (typeof rows)[number]) => number): number =>
      rows.reduce((total, row) => total + of(row), 0)
    const count = sum(({ expected }) => expected.length)
    const right = sum(
      ({ expected, predicted }) => expected.filter((id, i) => id === predicted[i]).length,
    )
    const loss = sum((row) => row.loss) / count
    const metrics: Record<string, number> = {
      loss,
      perplexity: Math.exp(loss),
      accuracy: right / count,
    }
    if (rows[0].next !== undefined)
      metrics.next_sentence_accuracy = sum(({ next }) => next ?? 0) / rows.length
    const textOf = (list: readonly number[]): string =>
      list.map((id) => tokenizer.idToToken(id) ?? '').join(' ')
    return {
      metrics,
      examples: rows.slice(0, show).map((row) => {
        const [expected, predicted] = [textOf(row.expected), textOf(row.predicted)]
        const input = tokenizer.decode(row.ids.filter((id) => id !== tokenizer.padTokenId))
        return { input, expected, predicted, right: expected === predicted }
      }),
    }
  }

  /** The text with its masks filled. */
  async predict(
    model: MaskedLM | Pretraining,
    rows: readonly Row[],
  ): Promise<Record<string, unknown>[]> {
    const { preprocessor: tokenizer, options, contextLength: maxLength } = this.context
    const texts = rows.map((row) => textIn(row, options.textColumn))
    const encodings = encodeTexts(texts, { model, tokenizer }, { truncate: true, maxLength })
    const predictor = this.tokenPredictor(model)
    const guesses = await guessTokens({ model, predictor, tokenizer }, encodings, { topK: 1 })
    return encodings.map(({ ids }, i) => {
      const filled = [...ids]
      const tokens = guesses[i].map(({ place, tokens: [{ token }] }) => {
        filled[place] = token
        return tokenizer.idToToken(token)
      })
      return { text: tokenizer.decode(filled, { skipSpecialTokens: true }), tokens }
    })
  }

  private tokenPredictor(model: MaskedLM | Pretraining): TokenPredictor {
    return (ids, options) => this.logits(model, ids, options).tokens
  }

  private logits(
    model: MaskedLM | Pretraining,
    ids: Tensor,
    options: MaskedLMOptions,
  ): { tokens: Tensor; nextSentence?: Tensor } {
    if (this.head === 'pretraining') return (model as Pretraining).forward(ids, options)
    return { tokens: (model as MaskedLM).forward(ids, options) }
  }

  /** With special tokens around; a second text that is too long is cut. */
  private assemble(
    first: readonly number[],
    second: readonly number[],
    length: number,
  ): { ids: number[]; typeIds: number[] } {
    const { start, middle, end } = this.around
    const front = [...start, ...first]
    if (this.head === 'masked-lm') return { ids: [...front, ...end], typeIds: [] }
    const room = length - front.length - middle.length - end.length
    const back = [...second.slice(0, Math.max(0, room)), ...end]
    const ids = [...front, ...middle, ...back]
    return { ids, typeIds: ids.map((_, i) => (i < front.length + middle.length ? 0 : 1)) }
  }
}

function filled(room: number, filling: number, values: readonly number[]): Int32Array {
  const data = new Int32Array(room).fill(filling)
  data.set(values)
  return data
}

/** An example of another document, or nothing where all are of one. */
function otherDocument(examples: readonly Example[], i: number, draws: Draws): Example | undefined {
  const others = examples.filter(({ document }) => document !== examples[i].document)
  return others[draws.below(others.length)]
}
