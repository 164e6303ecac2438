// Extractive question answering (Rajpurkar et al., 2016): predicts the first and the last token of the answer.
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import { exactMatch, squadF1 } from '../../metrics/index.ts'
import type { QuestionAnswerer } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import {
  questionAnswering as answering,
  answerWindows,
} from '../../pipelines/question-answering.ts'
import { encoderInputs, type TextExample } from '../../pipelines/text-examples.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import type { Encoding, Tokenizer } from '../../tokenizers/index.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { defineTask } from '../define-task.ts'
import type { EvaluateOptions, Evaluation } from '../task.ts'
import { textIn, valueIn } from './text.ts'
import { TextTask } from './text-task.ts'

type Options = { questionColumn: string; contextColumn: string; answersColumn: string }

export const questionAnswering = defineTask<Options, Record<string, never>, Tokenizer>({
  name: 'question-answering',
  about: 'the answer to a question as a span of a text',
  columns:
    'rows with question, context and answers (text, or {text: [...], answer_start: [...]}), or JSON files of SQuAD',
  options: z.object({
    questionColumn: z.string().default('question').describe('column of the question'),
    contextColumn: z.string().default('context').describe('column of the text with the answer'),
    answersColumn: z.string().default('answers').describe('column of the answers'),
  }),
  defaults: { steps: null, epochs: 2, dropout: 0.1, weightDecay: 0.01, context: 384 },
  inputColumn: ({ contextColumn }) => contextColumn,
  columnKeys: ['questionColumn', 'contextColumn', 'answersColumn'],
  head: () => 'question-answering',
  texts: (row, options) => {
    const { questionColumn, contextColumn } = options
    return [textIn(row, questionColumn), textIn(row, contextColumn)]
  },
  create: (context) => new QuestionAnswering(context),
})

interface Answer {
  text: string
  /** Index of its first character in the context. */
  start: number
}

/** A window of a context, with the first and last token of the answer; 0 and 0 if the window does not contain it. */
interface Example extends TextExample {
  start: number
  end: number
  question: string
  context: string
  answers: readonly Answer[]
  /** Whether this is the first window of its row. */
  first: boolean
}

class QuestionAnswering extends TextTask<
  Example,
  QuestionAnswerer,
  Options,
  Record<string, never>
> {
  readonly name = 'question-answering'
  readonly head = 'question-answering'

  encode(row: Row): Example[] {
    const { options, preprocessor: tokenizer, contextLength } = this.context
    const question = textIn(row, options.questionColumn)
    const context = textIn(row, options.contextColumn)
    const answers = answersIn(row, options.answersColumn, context)
    const windows = answerWindows({ model: { contextLength }, tokenizer }, question, context)
    return windows.map(({ encoding, offset }, i) => {
      const [start, end] = tokensOf(encoding, offset, answers[0])
      const { ids, typeIds } = encoding
      return { ids, typeIds, start, end, question, context, answers, first: i === 0 }
    })
  }

  override collate(examples: readonly Example[], length: number): Batch {
    const places = (key: 'start' | 'end') => ({
      data: Int32Array.from(examples, (example) => example[key]),
      shape: [examples.length],
    })
    const batch = super.collate(examples, length)
    return { ...batch, start: places('start'), end: places('end') }
  }

  loss(model: QuestionAnswerer, batch: BatchTensors): Tensor {
    const { start, end } = batch
    const options = encoderInputs(batch)
    const { attentionMask: mask } = options
    if (model.training || !mask) return model.loss(batch.input_ids, { start, end }, options)
    // As in transformers, the softmax includes padding in training; in evaluation, the loss must not depend on padding.
    const logits = model.forward(batch.input_ids, options)
    const lossOf = (all: Tensor, places: Tensor): Tensor =>
      F.crossEntropy(mask.where(all, -1e9), places)
    return lossOf(logits.start, start).add(lossOf(logits.end, end)).div(2)
  }

  async evaluate(
    model: QuestionAnswerer,
    examples: readonly Example[],
    { show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const rows = examples.filter(({ first }) => first)
    const predicted: string[] = []
    for (const { question, context } of rows)
      predicted.push((await this.answer(model, question, context)).answer)
    const texts = rows.map(({ answers }) => answers.map(({ text }) => text))
    const mean = (score: (answers: string[], predicted: string) => number): number =>
      predicted.reduce((sum, text, i) => sum + score(texts[i], text), 0) / rows.length
    return {
      metrics: { exact_match: mean(exactMatch), f1: mean(squadF1) },
      examples: rows.slice(0, show).map(({ question }, i) => ({
        input: question,
        expected: texts[i].join(' | '),
        predicted: predicted[i],
        right: exactMatch(texts[i], predicted[i]) === 1,
        scores: { f1: squadF1(texts[i], predicted[i]) },
        difficulty: -squadF1(texts[i], predicted[i]),
      })),
    }
  }

  async predict(model: QuestionAnswerer, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    const { questionColumn, contextColumn } = this.context.options
    const answers: Record<string, unknown>[] = []
    for (const row of rows) {
      const [question, context] = [textIn(row, questionColumn), textIn(row, contextColumn)]
      answers.push({ ...(await this.answer(model, question, context)) })
    }
    return answers
  }

  private answer(model: QuestionAnswerer, question: string, context: string) {
    model.eval()
    return answering({ model, tokenizer: this.context.preprocessor })(question, context)
  }
}

/** The first and last token of an answer in a window; [CLS] (0, 0) if the window does not contain it. */
function tokensOf(
  { offsets, sequenceIds }: Encoding,
  offset: number,
  { text, start }: Answer,
): [number, number] {
  const [from, to] = [start - offset, start - offset + text.length]
  const inside = offsets.flatMap(([a, b], i) =>
    sequenceIds[i] === 1 && a < to && b > from ? [i] : [],
  )
  const [first, last] = [inside[0], inside.at(-1)]
  const isInside = last !== undefined && offsets[first][0] <= from && offsets[last][1] >= to
  return isInside ? [first, last] : [0, 0]
}

/** Reads answers in the format of SQuAD, or as text, whose first occurrence is used. */
function answersIn(row: Row, column: string, context: string): Answer[] {
  const value = valueIn(row, column)
  const { text = value, answer_start: starts } = value as { text?: unknown; answer_start?: unknown }
  const texts = [text].flat()
  const places = [starts ?? []].flat()
  const answers = texts.map((value, i) => {
    const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
    if (typeof text !== 'string' || text === '')
      throw new HeedError('invalid-data', `'${column}' must be text, got ${shown(text)}`, {
        key: column,
        value: text,
      })
    const place = places[i] === undefined ? context.indexOf(text) : Number(places[i])
    const start = [place, afterCharacters(context, place)].find(
      (at) => at >= 0 && context.startsWith(text, at),
    )
    if (start !== undefined) return { text, start }
    throw new HeedError('invalid-data', `the context must contain the answer, got ${shown(text)}`, {
      key: column,
      value: text,
    })
  })
  if (answers.length > 0) return answers
  throw new HeedError('invalid-data', `'${column}' must have an answer, got none`, {
    key: column,
    remedy: 'Remove the row; training needs an answer for each question.',
  })
}

/** The index after `count` code points, which SQuAD counts; some take two UTF-16 units. */
function afterCharacters(text: string, count: number): number {
  let place = 0
  for (let left = count; left > 0 && place < text.length; left--)
    place += (text.codePointAt(place) as number) > 0xffff ? 2 : 1
  return place
}
