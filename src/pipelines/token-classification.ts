import type { TokenClassifier } from '../models/index.ts'
import type { Encoding, Tokenizer } from '../tokenizers/index.ts'
import { alternatives, invalidOption } from '../util/errors.ts'
import { optionReader } from './option-names.ts'
import type { ModelWithTokenizer } from './pipeline.ts'
import { runExamples } from './run-examples.ts'
import { indexOfMax, softmax } from './scores.ts'
import {
  BATCHES,
  type BatchOptions,
  encoderInputs,
  encodeTexts,
  exampleOf,
  forOneOrMany,
  isText,
  TRUNCATION,
  type TruncateOptions,
  textBatching,
} from './text-examples.ts'

/**
 * How tokens become entities. 'none': each token by itself. 'simple': neighbours with the same label are joined. The
 * others first give each word one label: that of its 'first' token, of the 'average' of its tokens' scores, or of the
 * token with the highest score ('max').
 */
export type Aggregation = (typeof aggregations)[number]
const aggregations = ['none', 'simple', 'first', 'average', 'max'] as const

export interface TagOptions extends BatchOptions, TruncateOptions {
  /** Default 'none'. */
  aggregation?: Aggregation
  /** Labels to leave out. Default ['O']. */
  ignoreLabels?: readonly string[]
}

const readOptions = optionReader<TagOptions>('token-classification', {
  ...BATCHES,
  ...TRUNCATION,
  aggregation: 'text?',
  ignoreLabels: 'texts?',
})

export interface Entity {
  entity: string
  score: number
  /** Index of the token in the text, counting special tokens. */
  index: number
  word: string
  /** `text.slice(start, end)`. */
  start: number
  end: number
}

export interface EntityGroup {
  /** The label without B- or I-. */
  entity_group: string
  score: number
  word: string
  start: number
  end: number
}

/** The labelled tokens of each text, or the entities that they form. */
export interface TokenClassification {
  (text: string, options?: TagOptions & { aggregation?: 'none' }): Promise<Entity[]>
  (text: string, options: TagOptions): Promise<EntityGroup[]>
  (texts: readonly string[], options?: TagOptions & { aggregation?: 'none' }): Promise<Entity[][]>
  (texts: readonly string[], options: TagOptions): Promise<EntityGroup[][]>
}

export function tokenClassification(
  source: ModelWithTokenizer<TokenClassifier>,
): TokenClassification {
  const tag = async (input: string | readonly string[], given?: TagOptions) => {
    const options = readOptions(given)
    return forOneOrMany(input, isText, (texts) => tagAll(source, texts, options))
  }
  return tag as TokenClassification
}

async function tagAll(
  { model, tokenizer }: ModelWithTokenizer<TokenClassifier>,
  texts: readonly string[],
  options: TagOptions,
): Promise<(Entity[] | EntityGroup[])[]> {
  const { aggregation = 'none', ignoreLabels = ['O'] } = options
  if (!aggregations.includes(aggregation))
    throw invalidOption({
      key: 'aggregation',
      value: aggregation,
      expected: alternatives(aggregations),
      try: { aggregation: aggregations },
    })
  const scored = await scoreTokens({ model, tokenizer }, texts, options)
  return scored.map((tokens, i) => {
    const words =
      aggregation === 'none' || aggregation === 'simple'
        ? tokens.map((token) => [token])
        : wordsOf(tokens, texts[i], tokenizer)
    const labelled = words.map((word) => labelOf(word, aggregation, model.labels))
    if (aggregation === 'none')
      return labelled
        .filter(({ entity }) => !ignoreLabels.includes(entity))
        .map(({ tokens: [{ id, index, start, end }], entity, score }) => {
          return { entity, score, index, word: tokenizer.idToToken(id) ?? '', start, end }
        })
    const groups = groupsOf(labelled, tokenizer)
    return groups.filter((group) => !ignoreLabels.includes(group.entity_group))
  })
}

/** The tokens of each text with the probability of each label. */
async function scoreTokens(
  { model, tokenizer }: ModelWithTokenizer<TokenClassifier>,
  texts: readonly string[],
  options: TagOptions,
): Promise<Token[][]> {
  const count = model.labels.length
  const encodings = encodeTexts(texts, { model, tokenizer }, options)
  const examples = encodings.map((encoding) => ({ ...exampleOf(encoding, tokenizer), encoding }))
  return runExamples(examples, {
    batching: textBatching(tokenizer),
    model,
    batchSize: options.batchSize ?? 16,
    forward: (batch) => [model.forward(batch.input_ids, encoderInputs(batch))],
    read: ([logits], row, { encoding }, length) =>
      tokensOf(encoding, tokenizer, (i) => {
        const start = (row * length + i) * count
        return softmax(logits.subarray(start, start + count))
      }),
  })
}

interface Token {
  id: number
  index: number
  start: number
  end: number
  scores: Float64Array
}

interface Labelled {
  tokens: Token[]
  entity: string
  score: number
}

/** The tokens of the text itself, without the special tokens around it. */
function tokensOf(
  { ids, offsets, sequenceIds }: Encoding,
  tokenizer: Tokenizer,
  scoresAt: (index: number) => Float64Array,
): Token[] {
  return ids.flatMap((id, index) => {
    if (sequenceIds[index] === null || tokenizer.isSpecial(id)) return []
    const [start, end] = offsets[index]
    return [{ id, index, start, end, scores: scoresAt(index) }]
  })
}

/**
 * Tokens grouped by word. Where the vocabulary marks the later pieces of a word (##), the mark decides; elsewhere a
 * token continues the word when no space precedes it.
 */
function wordsOf(tokens: readonly Token[], text: string, tokenizer: Tokenizer): Token[][] {
  const marked = Boolean(tokenizer.toJSON().model.continuing_subword_prefix)
  const words: Token[][] = []
  for (const token of tokens) {
    const { id, start, end } = token
    const piece = tokenizer.idToToken(id) ?? ''
    const continuesWord = marked
      ? piece.length !== end - start
      : start > 0 && !text.slice(start - 1, start + 1).includes(' ')
    const last = words.at(-1)
    if (last && continuesWord && id !== tokenizer.unkTokenId) last.push(token)
    else words.push([token])
  }
  return words
}

function labelOf(tokens: Token[], aggregation: Aggregation, labels: readonly string[]): Labelled {
  const scores = scoresOf(tokens, aggregation)
  const best = indexOfMax(scores)
  return { tokens, entity: labels[best], score: scores[best] }
}

function scoresOf(tokens: readonly Token[], aggregation: Aggregation): Float64Array {
  const [{ scores }] = tokens
  if (aggregation === 'average')
    return scores.map((_, i) => tokens.reduce((n, t) => n + t.scores[i], 0) / tokens.length)
  if (aggregation !== 'max') return scores
  return tokens[indexOfMax(tokens.map((t) => Math.max(...t.scores)))].scores
}

/** Neighbours with the same label; B- starts a new group. */
function groupsOf(words: readonly Labelled[], tokenizer: Tokenizer): EntityGroup[] {
  const groups: Labelled[][] = []
  for (const word of words) {
    const last = groups.at(-1)
    const same = last && tagOf(last[last.length - 1].entity) === tagOf(word.entity)
    if (same && !word.entity.startsWith('B-')) last.push(word)
    else groups.push([word])
  }
  return groups.map((group) => {
    const tokens = group.flatMap((word) => word.tokens)
    return {
      entity_group: group[0].entity.replace(/^[^-]*-/, ''),
      score: group.reduce((n, { score }) => n + score, 0) / group.length,
      word: tokenizer.decode(tokens.map(({ id }) => id)),
      start: tokens[0].start,
      end: tokens[tokens.length - 1].end,
    }
  })
}

const tagOf = (entity: string): string => entity.replace(/^[BI]-/, '')
