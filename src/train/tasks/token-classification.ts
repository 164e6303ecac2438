// Classification of words, predicted at the first token of each word (Devlin et al., 2019).
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import { accuracy, confusionMatrix, entitiesOf, entityF1 } from '../../metrics/index.ts'
import type { TokenClassifier } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { encodeWords, labelWords, type WordExample } from '../../pipelines/label-words.ts'
import { encoderInputs, padded, padId, textBatch } from '../../pipelines/text-examples.ts'
import type { Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { defineTask } from '../define-task.ts'
import { countOf, sumOf } from '../micro-batches.ts'
import type {
  Distillation,
  EvaluateOptions,
  Evaluation,
  ShownPiece,
  Task,
  TaskContext,
} from '../task.ts'
import { indexOfLabel, labelConfig, labelOf, surveyLabels } from './labels.ts'
import { valueIn } from './text.ts'

type Options = { tokensColumn: string; tagsColumn: string }
type Facts = { labels: string[] }
type Context = TaskContext<Options, Facts, Tokenizer>

export const tokenClassification = defineTask<Options, Facts, Tokenizer>({
  name: 'token-classification',
  about: 'tags of words, such as parts of speech or names',
  columns: 'rows with a list of words and a list of their tags, or both as text with spaces',
  options: z.object({
    tokensColumn: z.string().default('tokens').describe('column of the words'),
    tagsColumn: z.string().default('tags').describe('column of the tags'),
  }),
  facts: z.object({ labels: z.array(z.string()).min(1) }),
  defaults: { steps: null, epochs: 3, dropout: 0.1, weightDecay: 0.01 },
  inputColumn: ({ tokensColumn }) => tokensColumn,
  columnKeys: ['tokensColumn', 'tagsColumn'],
  head: () => 'token-classification',
  survey: async (setup) => ({
    labels: await surveyLabels(
      { ...setup, options: { labelColumn: setup.options.tagsColumn } },
      (row) => taggedIn(row, setup.options).tags,
    ),
  }),
  texts: (row, options) => [wordsIn(row, options.tokensColumn).join(' ')],
  modelConfig: ({ facts }) => labelConfig(facts.labels),
  create: (context) => new TokenClassification(context),
})

interface Example extends WordExample {
  /** The index of the tag of each word. */
  tags: readonly number[]
}

class TokenClassification implements Task<Example, TokenClassifier> {
  readonly name = 'token-classification'
  readonly head = 'token-classification'
  readonly unit = 'rows'
  readonly validationMetrics = ['accuracy']
  private readonly context: Context

  constructor(context: Context) {
    this.context = context
  }

  encode(row: Row): Example[] {
    const { options, facts } = this.context
    const { words, tags } = taggedIn(row, options)
    const numbers = tags.map((tag) => indexOfLabel(facts.labels, tag))
    let at = 0
    const { preprocessor, contextLength } = this.context
    return encodeWords(preprocessor, words, contextLength).map((part) => {
      return { ...part, tags: numbers.slice(at, (at += part.words.length)) }
    })
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

  readonly distillation: Distillation<TokenClassifier> = {
    outputs(model, batch) {
      const inputs = encoderInputs(batch)
      const logits = model.forward(batch.input_ids, inputs)
      const { labels } = batch
      return { logits, labels, items: labels.ne(-100), tokens: inputs.attentionMask }
    },
    counts: (batch) => ({
      items: countOf(batch.labels),
      labels: countOf(batch.labels),
      tokens: sumOf(batch.lengths),
    }),
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
    const predicted = await labelWords(model, this.context.preprocessor, examples, batchSize)
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
      examples: examples.slice(0, show).map(({ words }, i) => {
        const right = accuracy(expected[i], predicted[i])
        return {
          input: words.join(' '),
          expected: expected[i].join(' '),
          predicted: predicted[i].join(' '),
          right: right === 1,
          scores: { accuracy: right },
          difficulty: 1 - right,
        }
      }),
    }
  }

  /** Each word with its tags. */
  async piecesOf(model: TokenClassifier, examples: readonly Example[]): Promise<ShownPiece[][]> {
    const { preprocessor, facts } = this.context
    const predicted = await labelWords(model, preprocessor, examples)
    return examples.map(({ words, tags }, i) =>
      words.map((text, k) => ({
        text,
        expected: facts.labels[tags[k]],
        predicted: predicted[i][k],
      })),
    )
  }

  async predict(model: TokenClassifier, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    const { preprocessor: tokenizer, options, contextLength } = this.context
    const sentences = rows.map((row) =>
      encodeWords(tokenizer, wordsIn(row, options.tokensColumn), contextLength),
    )
    const labels = await labelWords(model, tokenizer, sentences.flat())
    let at = 0
    return sentences.map((examples) => {
      const tokens = examples.flatMap(({ words }) => words)
      const tags = labels.slice(at, (at += examples.length)).flat()
      if (!areEntities(model.labels)) return { tokens, tags }
      const entities = entitiesOf(tags).map(({ type, start, end }) => {
        return { type, start, end, text: tokens.slice(start, end).join(' ') }
      })
      return { tokens, tags, entities }
    })
  }
}

function taggedIn(row: Row, options: Options): { words: string[]; tags: string[] } {
  const words = wordsIn(row, options.tokensColumn)
  const tags = listIn(row, options.tagsColumn, 'tags').map((tag) =>
    labelOf(tag, options.tagsColumn),
  )
  if (words.length === tags.length) return { words, tags }
  throw new HeedError(
    'invalid-data',
    `the row must have a tag for each word, got ${words.length} words and ${tags.length} tags`,
  )
}

function wordsIn(row: Row, column: string): string[] {
  return listIn(row, column, 'words').map((word) => {
    if (typeof word === 'number' || typeof word === 'boolean') return String(word)
    if (typeof word === 'string' && /^\S+$/.test(word)) return word
    throw noList(row, column, 'words')
  })
}

/** Reads a list, which must not be empty; text is split at spaces. */
function listIn(row: Row, column: string, what: string): unknown[] {
  const value = valueIn(row, column)
  const list = typeof value === 'string' ? value.split(/\s+/).filter(Boolean) : value
  if (Array.isArray(list) && list.length > 0) return list
  throw noList(row, column, what)
}

function noList({ values }: Row, column: string, what: string): HeedError {
  const value = values[column]
  return new HeedError(
    'invalid-data',
    `'${column}' must be a list of ${what}, got ${shown(value)}`,
    { key: column, value },
  )
}

/** Whether the tags mark spans of words, like B-PER and I-PER. */
const areEntities = (labels: readonly string[]): boolean =>
  labels.some((label) => label.startsWith('B-'))
