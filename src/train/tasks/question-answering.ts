// Where a text answers a question (Rajpurkar et al., 2016): the first and the last token of the answer.
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import { exactMatch, squadF1 } from '../../metrics/index.ts'
import type { QuestionAnswerer } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import {
  questionAnswering as answering,
  answerWindows,
} from '../../pipelines/question-answering.ts'
import { encoderInputs, padId, type TextExample, textBatch } from '../../pipelines/text-examples.ts'
import type { Tensor } from '../../tensor/index.ts'
import { type Encoding, Tokenizer } from '../../tokenizers/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { EvaluateOptions, Evaluation, Task, TaskContext, TaskDefinition } from '../task.ts'
import { textIn, valueIn } from './text.ts'
import { textTokenizer, vocabularyConfig } from './text-tokenizer.ts'

type Options = { questionColumn: string; contextColumn: string; answersColumn: string }
type Context = TaskContext<Options, Record<string, never>, Tokenizer>

export const questionAnswering: TaskDefinition<Options, Record<string, never>, Tokenizer> = {
  name: 'question-answering',
  about: 'the stretch of a text that answers a question',
  columns:
    'rows as of SQuAD: question, context, answers {text: [...], answer_start: [...]} or a text; its own JSON files',
  options: z.object({
    questionColumn: z.string().default('question').describe('the column of the question'),
    contextColumn: z.string().default('context').describe('the column of the text with the answer'),
    answersColumn: z.string().default('answers').describe('the column of the answers'),
  }),
  facts: z.object({}),
  defaults: { steps: null, epochs: 2, dropout: 0.1, weightDecay: 0.01, context: 384 },
  head: () => 'question-answering',
  survey: async () => ({}),
  preprocessor: (setup) =>
    textTokenizer(setup, (row) => {
      const { questionColumn, contextColumn } = setup.options
      return [textIn(row, questionColumn), textIn(row, contextColumn)]
    }),
  openPreprocessor: (folder) => Tokenizer.fromFile(folder),
  modelConfig: () => ({}),
  newModelConfig: ({ preprocessor, modelType }) => vocabularyConfig(preprocessor, modelType),
  create: (context) => new QuestionAnswering(context),
}

interface Answer {
  text: string
  /** Where it begins in the context. */
  start: number
}

/** A window of a context, with the tokens of the answer; 0 and 0 where it has none. */
interface Example extends TextExample {
  start: number
  end: number
  question: string
  context: string
  answers: readonly Answer[]
  /** Whether this is the first window of its row. */
  first: boolean
}

class QuestionAnswering implements Task<Example, QuestionAnswerer> {
  readonly name = questionAnswering.name
  readonly head = 'question-answering'
  readonly unit = 'rows'
  private readonly context: Context

  constructor(context: Context) {
    this.context = context
  }

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

  length({ ids }: Example): number {
    return ids.length
  }

  collate(examples: readonly Example[], length: number): Batch {
    const places = (key: 'start' | 'end') => ({
      data: Int32Array.from(examples, (example) => example[key]),
      shape: [examples.length],
    })
    const batch = textBatch(examples, length, padId(this.context.preprocessor))
    return { ...batch, start: places('start'), end: places('end') }
  }

  loss(model: QuestionAnswerer, batch: BatchTensors): Tensor {
    return model.loss(batch.input_ids, { start: batch.start, end: batch.end }, encoderInputs(batch))
  }

  async evaluate(
    model: QuestionAnswerer,
    examples: readonly Example[],
    { show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const rows = examples.filter(({ first }) => first)
    const found: string[] = []
    for (const { question, context } of rows)
      found.push((await this.answer(model, question, context)).answer)
    const texts = rows.map(({ answers }) => answers.map(({ text }) => text))
    const mean = (score: (answers: string[], mine: string) => number): number =>
      found.reduce((sum, mine, i) => sum + score(texts[i], mine), 0) / rows.length
    return {
      metrics: { exact_match: mean(exactMatch), f1: mean(squadF1) },
      examples: rows.slice(0, show).map(({ question }, i) => ({
        input: question,
        expected: texts[i].join(' | '),
        predicted: found[i],
        right: exactMatch(texts[i], found[i]) === 1,
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

/** The first and last token of an answer in a window, or of [CLS], which stands for none. */
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
  const whole = last !== undefined && offsets[first][0] <= from && offsets[last][1] >= to
  return whole ? [first, last] : [0, 0]
}

/** As SQuAD has them; a text, or a list of texts, stands for where it is found first. */
function answersIn(row: Row, column: string, context: string): Answer[] {
  const value = valueIn(row, column)
  const { text = value, answer_start: starts } = value as { text?: unknown; answer_start?: unknown }
  const texts = [text].flat()
  const places = [starts ?? []].flat()
  const answers = texts.map((one, i) => {
    if (typeof one !== 'string' || one === '')
      throw new HeedError('invalid-option', `'${column}' has no text`)
    const told = places[i] === undefined ? context.indexOf(one) : Number(places[i])
    const start = [told, afterCharacters(context, told)].find(
      (place) => place >= 0 && context.startsWith(one, place),
    )
    if (start !== undefined) return { text: one, start }
    throw new HeedError(
      'invalid-option',
      `the answer '${one.slice(0, 60)}' does not stand in the context`,
    )
  })
  if (answers.length > 0) return answers
  throw new HeedError(
    'invalid-option',
    `'${column}' is empty: questions without an answer are not learnt here`,
  )
}

/** Where so many characters end: SQuAD counts them, and some take two places in a JavaScript text. */
function afterCharacters(text: string, count: number): number {
  let place = 0
  for (let left = count; left > 0 && place < text.length; left--)
    place += (text.codePointAt(place) as number) > 0xffff ? 2 : 1
  return place
}
