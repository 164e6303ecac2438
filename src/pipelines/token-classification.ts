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
 * How tokens are grouped to entities. 'none': each token is an entity. 'simple': neighbouring tokens with the same label
 * are joined. The others first give each word one label: the label of its 'first' token, of the 'average' of the scores
 * of its tokens, or of the token with the highest score ('max').
 */
export type Aggregation = (typeof aggregations)[number]
const aggregations = ['none', 'simple', 'first', 'average', 'max'] as const

/** Options of the pipeline 'token-classification'. */
export interface TagOptions extends BatchOptions, TruncateOptions {
  /** How tokens are grouped to entities. Default 'none'. */
  aggregation?: Aggregation
  /** Labels to omit from the result. Default ['O']. */
  ignoreLabels?: readonly string[]
}

const readOptions = optionReader<TagOptions>('token-classification', {
  ...BATCHES,
  ...TRUNCATION,
  aggregation: 'text?',
  ignoreLabels: 'texts?',
})

/** A labelled token: the span `text.slice(start, end)`. */
export interface Entity {
  /** Tag of the word. */
  entity: string
  /** Probability of the tag. */
  score: number
  /** Index of the token in the text, counting special tokens. */
  index: number
  /** The word or token. */
  word: string
  /** Index of its first character in the text. */
  start: number
  /** Index behind its last character. */
  end: number
}

/** An entity of one or several tokens: the span `text.slice(start, end)`. */
export interface EntityGroup {
  /** The label without B- or I-. */
  entity_group: string
  /** Mean probability of the tags. */
  score: number
  /** The words of the entity. */
  word: string
  /** Index of its first character in the text. */
  start: number
  /** Index behind its last character. */
  end: number
}

/** Labels the tokens of texts, or finds entities. */
export interface TokenClassification {
  (text: string, options?: TagOptions & { aggregation?: 'none' }): Promise<Entity[]>
  (text: string, options: TagOptions): Promise<EntityGroup[]>
  (texts: readonly string[], options?: TagOptions & { aggregation?: 'none' }): Promise<Entity[][]>
  (texts: readonly string[], options: TagOptions): Promise<EntityGroup[][]>
}

/** Creates the pipeline 'token-classification'. */
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

/** Computes the probability of each label for each token of each text. */
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

/** The tokens of the text, without special tokens. */
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
 * Groups tokens by word. If the vocabulary marks the later pieces of a word (##), the mark decides; otherwise a token
 * continues a word if no space precedes it.
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

/** Joins neighbours with the same label; B- starts a new group. */
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
