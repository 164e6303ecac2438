import type { TokenClassifier } from '../models/index.ts'
import type { Encoding, Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import { type BatchOptions, encodeTexts, forOneOrMany, inBatches, valuesOf } from './batches.ts'
import type { Parts } from './pipeline.ts'
import { indexOfMax, softmax } from './scores.ts'

/**
 * How tokens become entities. 'none': they stay tokens. 'simple': neighbours of one label are joined.
 * The rest first make one label for each word: of its 'first' token, of the 'average' of their scores,
 * or of the token that is surest ('max').
 */
export type Aggregation = (typeof aggregations)[number]
const aggregations = ['none', 'simple', 'first', 'average', 'max'] as const

export interface TagOptions extends BatchOptions {
  /** Default 'none'. */
  aggregation?: Aggregation
  /** Labels that are left out. Default ['O']. */
  ignoreLabels?: readonly string[]
  /** Whether texts that are too long for the model are cut; otherwise they are an error. */
  truncate?: boolean
}

export interface Entity {
  entity: string
  score: number
  /** Which token of the text, [CLS] counted. */
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

/** The labelled tokens of each text, or what they make together. */
export interface TokenClassification {
  (text: string, options?: TagOptions & { aggregation?: 'none' }): Promise<Entity[]>
  (text: string, options: TagOptions): Promise<EntityGroup[]>
  (texts: readonly string[], options?: TagOptions & { aggregation?: 'none' }): Promise<Entity[][]>
  (texts: readonly string[], options: TagOptions): Promise<EntityGroup[][]>
}

export function tokenClassification(parts: Parts<TokenClassifier>): TokenClassification {
  const tag = (input: string | readonly string[], options: TagOptions = {}) =>
    forOneOrMany(input, (texts) => tagAll(parts, texts, options))
  return tag as TokenClassification
}

async function tagAll(
  parts: Parts<TokenClassifier>,
  texts: readonly string[],
  options: TagOptions,
): Promise<(Entity[] | EntityGroup[])[]> {
  const { model, tokenizer } = parts
  const { aggregation = 'none', ignoreLabels = ['O'] } = options
  if (!aggregations.includes(aggregation))
    throw new HeedError('unknown-name', `There is no aggregation '${aggregation}'`, {
      remedy: `Known: ${aggregations.join(', ')}.`,
    })
  const { labels } = model
  const scored = await inBatches(
    encodeTexts(texts, parts, options.truncate ?? false),
    parts,
    options,
    ({ ids, options }) => valuesOf(() => model.forward(ids, options)),
    (logits, row, encoding, { tokens }) =>
      scoredTokens(encoding, tokenizer, (i) => {
        const start = (row * tokens + i) * labels.length
        return softmax(logits.subarray(start, start + labels.length))
      }),
  )
  return scored.map((tokens, i) => {
    const words =
      aggregation === 'none' || aggregation === 'simple'
        ? tokens.map((t) => [t])
        : wordsOf(tokens, texts[i], tokenizer)
    const labelled = words.map((word) => labelOf(word, aggregation, labels))
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

/** Those of the text itself, without what the template puts around it. */
function scoredTokens(
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
 * Tokens that make one word. Where the vocabulary marks a word's later pieces (##), the mark tells;
 * elsewhere a token goes on with the word when no space is before it.
 */
function wordsOf(tokens: readonly Token[], text: string, tokenizer: Tokenizer): Token[][] {
  const marked = Boolean(tokenizer.toJSON().model.continuing_subword_prefix)
  const words: Token[][] = []
  for (const token of tokens) {
    const { id, start, end } = token
    const piece = tokenizer.idToToken(id) ?? ''
    const goesOn = marked
      ? piece.length !== end - start
      : start > 0 && !text.slice(start - 1, start + 1).includes(' ')
    const last = words.at(-1)
    if (last && goesOn && id !== tokenizer.unkTokenId) last.push(token)
    else words.push([token])
  }
  return words
}

function labelOf(tokens: Token[], way: Aggregation, labels: readonly string[]): Labelled {
  const scores = scoresOf(tokens, way)
  const best = indexOfMax(scores)
  return { tokens, entity: labels[best], score: scores[best] }
}

function scoresOf(tokens: readonly Token[], way: Aggregation): Float64Array {
  const [{ scores }] = tokens
  if (way === 'average')
    return scores.map((_, i) => tokens.reduce((n, t) => n + t.scores[i], 0) / tokens.length)
  if (way !== 'max') return scores
  return tokens[indexOfMax(tokens.map((t) => Math.max(...t.scores)))].scores
}

/** Neighbours of one label, B- beginning anew. */
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
