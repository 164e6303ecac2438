// A tag for each word, told at the word's first token (Devlin et al., 2019).
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import { accuracy, confusionMatrix, entitiesOf, entityF1 } from '../../metrics/index.ts'
import type { TokenClassifier } from '../../models/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { type Encoding, Tokenizer } from '../../tokenizers/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { BatchTensors } from '../hold-batch.ts'
import type { EvaluateOptions, Evaluation, Task, TaskContext, TaskDefinition } from '../task.ts'
import { indexOfLabel, labelConfig, surveyLabels } from './labels.ts'
import { runExamples } from './run-examples.ts'
import { encoderInputs, padded, padId, textBatch, valueIn } from './text.ts'
import { textTokenizer, vocabularyConfig } from './text-tokenizer.ts'

type Options = { tokensColumn: string; tagsColumn: string }
type Facts = { labels: string[] }
type Context = TaskContext<Options, Facts, Tokenizer>

export const tokenClassification: TaskDefinition<Options, Facts, Tokenizer> = {
  name: 'token-classification',
  about: 'tags of words: context of speech, names',
  columns:
    'rows with a list of words and a list of their tags, or both as text with spaces between',
  options: z.object({
    tokensColumn: z.string().default('tokens').describe('the column of the words'),
    tagsColumn: z.string().default('tags').describe('the column of their tags'),
  }),
  facts: z.object({ labels: z.array(z.string()).min(1) }),
  defaults: { steps: null, epochs: 3, dropout: 0.1, weightDecay: 0.01, evalBatches: 50 },
  head: () => 'token-classification',
  survey: async (setup) => ({
    labels: await surveyLabels(
      { ...setup, options: { labelColumn: setup.options.tagsColumn } },
      (row) => taggedIn(row, setup.options).tags,
    ),
  }),
  preprocessor: (setup) =>
    textTokenizer(setup, (row) => [wordsIn(row, setup.options.tokensColumn).join(' ')]),
  openPreprocessor: (folder) => Tokenizer.fromFile(folder),
  modelConfig: ({ facts }) => labelConfig(facts.labels),
  newModelConfig: ({ preprocessor, modelType }) => vocabularyConfig(preprocessor, modelType),
  create: (context) => new TokenClassification(context),
}

/** Some words of a row: all of them, unless they are too many for the model. */
interface Example {
  words: readonly string[]
  ids: readonly number[]
  /** The first token of each word. */
  firsts: readonly number[]
  /** The number of each word's tag. */
  tags: readonly number[]
}

class TokenClassification implements Task<Example, TokenClassifier> {
  readonly name = tokenClassification.name
  readonly head = 'token-classification'
  readonly unit = 'rows'
  private readonly context: Context

  constructor(context: Context) {
    this.context = context
  }

  encode(row: Row): Example[] {
    const { options, facts } = this.context
    const { words, tags } = taggedIn(row, options)
    const numbers = tags.map((tag) => indexOfLabel(facts.labels, tag))
    let at = 0
    return this.encodeWords(words).map((part) => {
      const own = numbers.slice(at, (at += part.words.length))
      return { ...part, tags: own }
    })
  }

  /** Parts that fit; one that does not is halved. */
  private encodeWords(words: readonly string[]): Omit<Example, 'tags'>[] {
    const { preprocessor, contextLength } = this.context
    const encoding = preprocessor.encodeWithOffsets(words.join(' '))
    if (encoding.ids.length > contextLength && words.length > 1) {
      const middle = words.length >> 1
      return [words.slice(0, middle), words.slice(middle)].flatMap((half) => this.encodeWords(half))
    }
    const firsts = firstTokens(encoding, words)
    const lost = firsts.indexOf(-1)
    if (lost >= 0)
      throw new HeedError(
        'invalid-option',
        `the tokenizer has no token for the word '${words[lost]}'`,
      )
    return [{ words, ids: encoding.ids.slice(0, contextLength), firsts }]
  }

  length({ ids }: Example): number {
    return ids.length
  }

  collate(examples: readonly Example[], length: number): Batch {
    const labels = examples.map(({ ids, firsts, tags }) => {
      const row: number[] = ids.map(() => -100)
      firsts.forEach((place, word) => {
        if (place < row.length) row[place] = tags[word]
      })
      return row
    })
    const batch = textBatch(examples, length, padId(this.context.preprocessor))
    return { ...batch, labels: padded(labels, length, -100) }
  }

  loss(model: TokenClassifier, batch: BatchTensors): Tensor {
    return model.loss(batch.input_ids, batch.labels, encoderInputs(batch))
  }

  async evaluate(
    model: TokenClassifier,
    examples: readonly Example[],
    { batchSize = 16, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const { labels } = this.context.facts
    const predicted = await this.tags(model, examples, batchSize)
    const expected = examples.map(({ tags }) => tags.map((tag) => labels[tag]))
    const metrics: Record<string, number> = {
      accuracy: accuracy(expected.flat(), predicted.flat()),
    }
    if (areEntities(labels)) {
      const { precision, recall, f1 } = entityF1(expected, predicted).micro
      Object.assign(metrics, { precision, recall, f1 })
    }
    return {
      metrics,
      confusion: confusionMatrix(expected.flat(), predicted.flat(), labels),
      examples: examples.slice(0, show).map(({ words }, i) => ({
        input: words.join(' '),
        expected: expected[i].join(' '),
        predicted: predicted[i].join(' '),
        right: expected[i].join(' ') === predicted[i].join(' '),
      })),
    }
  }

  async predict(model: TokenClassifier, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    const { options, facts } = this.context
    const context = rows.map((row) =>
      this.encodeWords(wordsIn(row, options.tokensColumn)).map((part) => ({ ...part, tags: [] })),
    )
    const all = await this.tags(model, context.flat(), 16)
    let at = 0
    return context.map((own) => {
      const tokens = own.flatMap(({ words }) => words)
      const tags = all.slice(at, (at += own.length)).flat()
      if (!areEntities(facts.labels)) return { tokens, tags }
      const entities = entitiesOf(tags).map(({ type, start, end }) => {
        return { type, start, end, text: tokens.slice(start, end).join(' ') }
      })
      return { tokens, tags, entities }
    })
  }

  private tags(
    model: TokenClassifier,
    examples: readonly Example[],
    batchSize: number,
  ): Promise<string[][]> {
    const { labels } = this.context.facts
    return runExamples(
      this,
      model,
      examples,
      batchSize,
      (batch) => [model.forward(batch.input_ids, encoderInputs(batch)).argmax(-1)],
      ([guesses], row, { firsts }, width) =>
        firsts.map((place) => labels[guesses[row * width + Math.min(place, width - 1)]]),
    )
  }
}

/** The first token that stands in each word of the text, -1 for none. */
function firstTokens({ offsets, sequenceIds }: Encoding, words: readonly string[]): number[] {
  const firsts: number[] = []
  let start = 0
  let token = 0
  for (const word of words) {
    const end = start + word.length
    // a token may begin with the space before its word
    while (token < offsets.length && (sequenceIds[token] === null || offsets[token][1] <= start))
      token++
    firsts.push(token < offsets.length && offsets[token][0] < end ? token : -1)
    start = end + 1
  }
  return firsts
}

function taggedIn(row: Row, options: Options): { words: string[]; tags: string[] } {
  const words = wordsIn(row, options.tokensColumn)
  const tags = wordsIn(row, options.tagsColumn)
  if (words.length === tags.length) return { words, tags }
  throw new HeedError('invalid-option', `it has ${words.length} words and ${tags.length} tags`)
}

/** A list of words; of a text, what stands between spaces. */
function wordsIn(row: Row, column: string): string[] {
  const value = valueIn(row, column)
  const list = typeof value === 'string' ? value.split(/\s+/).filter(Boolean) : value
  const sound = Array.isArray(list) && list.length > 0 && list.every(isWord)
  if (sound) return list
  throw new HeedError(
    'unknown-name',
    `'${column}' is ${JSON.stringify(value).slice(0, 80)}, not a list of words`,
  )
}

const isWord = (one: unknown): one is string => typeof one === 'string' && /^\S+$/.test(one)

/** Whether tags are of stretches of words, as B-PER and I-PER. */
const areEntities = (labels: readonly string[]): boolean =>
  labels.some((label) => label.startsWith('B-'))
