// Masked language modelling and next-sentence prediction (Devlin et al., 2019). Masks and replaced second texts are drawn
// for each batch.
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
import { countOf, type LossTerms, rowsOf, sliceRows, sumOf } from '../micro-batches.ts'
import type {
  Distillation,
  EvaluateOptions,
  Evaluation,
  ShownPiece,
  Task,
  TaskContext,
} from '../task.ts'
import { documentOptions, segmentPairs, sentencesOf, windowsOf } from './documents.ts'
import { type Masked, Masking } from './masking.ts'
import { textIn } from './text.ts'
import { tokenTexts } from './token-texts.ts'

type Options = {
  textColumn: string
  unit: 'line' | 'paragraph' | 'file'
  nextSentence: boolean | null
  maskShare: number
}
type Context = TaskContext<Options, Record<string, never>, Tokenizer>

export const fillMask = defineTask<Options, Record<string, never>, Tokenizer>({
  name: 'fill-mask',
  about: 'masked tokens, and for bert whether one text follows another',
  columns: 'text files, each a document, or rows with a text',
  options: z.object({
    ...documentOptions,
    nextSentence: z
      .boolean()
      .nullable()
      .default(null)
      .describe('train on next-sentence prediction too (default: for bert)')
      .meta({ off: 'train without next-sentence prediction' }),
    maskShare: z.number().gt(0).lt(1).default(0.15).describe('fraction of the tokens to predict'),
  }),
  defaults: { dropout: 0.1, weightDecay: 0.01, steps: 2000 },
  inputColumn: ({ textColumn }) => textColumn,
  columnKeys: ['textColumn'],
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
  /** Ids without special tokens; `second` is empty without next-sentence prediction. */
  first: readonly number[]
  second: readonly number[]
  document: string
  /** The masks drawn for this example; undefined if each batch draws its own. */
  drawn?: Drawn
}

/** An example with masks and possibly a replaced second text. */
interface Drawn extends Masked {
  typeIds: number[] | undefined
  follows: boolean
}

class FillMask implements Task<Example, MaskedLM | Pretraining> {
  readonly name = 'fill-mask'
  readonly head: 'masked-lm' | 'pretraining'
  readonly unit = 'tokens'
  readonly validationMetrics = ['accuracy']
  private readonly context: Context
  private readonly masking: Masking
  private readonly around: { start: number[]; middle: number[]; end: number[] }

  constructor(context: Context) {
    const { preprocessor: tokenizer, options, modelType } = context
    const { maskTokenId: mask, clsTokenId: cls, sepTokenId: sep } = tokenizer
    if (mask === undefined || cls === undefined || sep === undefined)
      throw new HeedError('unsupported', 'The tokenizer must have mask, cls and sep tokens', {
        remedy: 'Omit `tokenizer`, or use the tokenizer of a BERT model.',
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
      const seed = deriveSeed(row.number, text.slice(0, 200)) // independent of the file, which may be moved
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

  length({ first, second, drawn }: Example): number {
    if (drawn) return drawn.ids.length
    return first.length + second.length + (this.head === 'pretraining' ? 3 : 2)
  }

  fixDraws(examples: readonly Example[]): Example[] {
    if (examples.every(({ drawn }) => drawn)) return [...examples]
    const { contextLength } = this.context
    const drawn = this.drawn(examples, contextLength, { seed: 0, step: 0 })
    return examples.map((example, i) => ({ ...example, drawn: drawn[i] }))
  }

  collate(examples: readonly Example[], length: number, draw: Draw): Batch {
    const fixed = examples.flatMap(({ drawn }) => drawn ?? [])
    const rows = fixed.length === examples.length ? fixed : this.drawn(examples, length, draw)
    const batch = {
      ...textBatch(rows, length, padId(this.context.preprocessor)),
      ...this.masks(placesIn(rows, length), rows.length, length),
    }
    if (this.head === 'masked-lm') return batch
    const answers = Int32Array.from(rows, ({ follows }) => (follows ? 0 : 1))
    return { ...batch, next_sentence: { data: answers, shape: [rows.length] } }
  }

  /** Draws masks. With next-sentence prediction, half of the rows get a second text of another document. */
  private drawn(examples: readonly Example[], length: number, draw: Draw): Drawn[] {
    const draws = new Draws(draw, 'masking')
    const pairs = this.head === 'pretraining'
    const follows = examples.map(() => !pairs || draws.next() < 0.5)
    return examples.map((example, i) => {
      const other = follows[i] ? undefined : otherDocument(examples, i, draws)
      const { ids, typeIds } = this.assemble(example.first, (other ?? example).second, length)
      const masked = this.masking.apply(ids, draws)
      return { ...masked, typeIds: pairs ? typeIds : undefined, follows: !other }
    })
  }

  /**
   * The positions of masked tokens and the original tokens, padded to a size that is nearly always the same for all
   * batches of a shape, so that few programs are compiled.
   */
  private masks(places: readonly Place[], rows: number, length: number): Batch {
    const expected = rows * (1 + length * this.context.options.maskShare)
    let room = Math.ceil(expected + 4 * Math.sqrt(expected))
    while (room < places.length) room *= 2
    const at = new Int32Array(room)
    const labels = new Int32Array(room).fill(-100)
    at.set(places.map((place) => place.at))
    labels.set(places.map(({ label }) => label))
    return { places: { data: at, shape: [room] }, labels: { data: labels, shape: [room] } }
  }

  /** Distillation is about masked tokens, without next-sentence prediction. */
  get distillation(): Distillation<MaskedLM | Pretraining> | undefined {
    if (this.head === 'pretraining') return undefined
    return {
      outputs: (model, batch) => {
        const inputs = encoderInputs(batch)
        const options = { ...inputs, logitsAt: batch.places }
        const { tokens: logits } = this.logits(model, batch.input_ids, options)
        const { labels } = batch
        return { logits, labels, items: labels.ne(-100), tokens: inputs.attentionMask }
      },
      counts: (batch) => ({
        items: countOf(batch.labels),
        labels: countOf(batch.labels),
        tokens: sumOf(batch.lengths),
      }),
    }
  }

  loss(model: MaskedLM | Pretraining, batch: BatchTensors): LossTerms {
    const { input_ids, labels, next_sentence: nextSentence } = batch
    const options = { ...encoderInputs(batch), logitsAt: batch.places }
    if (!nextSentence) return (model as MaskedLM).loss(input_ids, labels, options)
    const answers = { tokens: labels, nextSentence }
    return (model as Pretraining).lossTerms(input_ids, answers, options)
  }

  /** Counts masked tokens, and pairs of texts. */
  itemCounts(batch: Batch): number[] {
    const masked = countOf(batch.labels)
    return batch.next_sentence ? [masked, rowsOf(batch)] : [masked]
  }

  /** Masks are listed for the whole batch, so they must be assigned to rows. */
  sliceBatch({ places, labels, ...byRow }: Batch, start: number, end: number): Batch {
    const length = byRow.input_ids.shape[1]
    const inside: Place[] = []
    for (const [i, label] of labels.data.entries()) {
      const row = Math.floor(places.data[i] / length)
      if (label >= 0 && row >= start && row < end)
        inside.push({ at: places.data[i] - start * length, label })
    }
    return { ...sliceRows(byRow, start, end), ...this.masks(inside, end - start, length) }
  }

  async evaluate(
    model: MaskedLM | Pretraining,
    examples: readonly Example[],
    { batchSize = 16, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const tokenizer = this.context.preprocessor
    const rows = await this.fillRows(model, examples, batchSize)
    const sum = (of: (row: (typeof rows)[number]) => number): number =>
      rows.reduce((total, row) => total + of(row), 0)
    const count = sum(({ expected }) => expected.length)
    const right = sum(
      ({ expected, predicted }) => expected.filter((id, i) => id === predicted[i]).length,
    )
    const loss = sum((row) => row.loss) / count
    const metrics: Record<string, number> = { perplexity: Math.exp(loss), accuracy: right / count }
    if (rows[0].next !== undefined)
      metrics.next_sentence_accuracy = sum(({ next }) => next ?? 0) / rows.length
    const textOf = (list: readonly number[]): string =>
      list.map((id) => tokenizer.idToToken(id) ?? '').join(' ')
    return {
      metrics,
      examples: rows.slice(0, show).map((row) => {
        const [expected, predicted] = [textOf(row.expected), textOf(row.predicted)]
        const input = tokenizer.decode(row.ids.filter((id) => id !== tokenizer.padTokenId))
        const loss = row.loss / Math.max(1, row.expected.length)
        const right = expected === predicted
        return { input, expected, predicted, right, scores: { loss }, difficulty: loss }
      }),
    }
  }

  /** Each token; masked ones with the expected and the predicted token. */
  async piecesOf(
    model: MaskedLM | Pretraining,
    examples: readonly Example[],
  ): Promise<ShownPiece[][]> {
    const { preprocessor: tokenizer } = this.context
    const rows = await this.fillRows(model, examples, 16)
    return rows.map(({ ids, at, expected, predicted }) => {
      const length = ids.findLastIndex((id) => id !== tokenizer.padTokenId) + 1
      return tokenTexts(tokenizer, ids.slice(0, length)).map((text, i): ShownPiece => {
        const place = at.indexOf(i)
        if (place < 0) return { text }
        const [was, is] = [expected[place], predicted[place]].map(
          (id) => tokenizer.idToToken(id) ?? `#${id}`,
        )
        return { text: text.trim(), expected: was, predicted: is }
      })
    })
  }

  /** The predictions for the masked tokens of each example. */
  private fillRows(
    model: MaskedLM | Pretraining,
    examples: readonly Example[],
    batchSize: number,
  ): Promise<FilledRow[]> {
    return runExamples(this.fixDraws(examples), {
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
          at: chosen.map((i) => places[i] % width),
          expected: chosen.map((i) => labels[i]),
          predicted: chosen.map((i) => guesses[i]),
          loss: chosen.reduce((sum, i) => sum + losses[i], 0),
          next: next?.[row],
        }
      },
    })
  }

  /** Predicts the text with its masks filled. */
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
      if (guesses[i].length === 0) return { text: texts[i], tokens: [] } // no mask
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

  /** Adds special tokens; a second text that is too long is truncated. */
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

/** The masked tokens of an example: their positions, what they were, and the predictions. */
interface FilledRow {
  ids: number[]
  at: number[]
  expected: number[]
  predicted: number[]
  /** Sum over the masked tokens. */
  loss: number
  /** 1 if the prediction of the next sentence is right. */
  next: number | undefined
}

/** A masked token: its position, counted over all rows of a batch, and the original token. */
interface Place {
  at: number
  label: number
}

const placesIn = (rows: readonly Masked[], length: number): Place[] =>
  rows.flatMap(({ labels }, row) =>
    labels.flatMap((label, i) => (label >= 0 ? [{ at: row * length + i, label }] : [])),
  )

/** An example of another document; undefined if all examples are of the same document. */
function otherDocument(examples: readonly Example[], i: number, draws: Draws): Example | undefined {
  const others = examples.filter(({ document }) => document !== examples[i].document)
  return others[draws.below(others.length)]
}
