import { z } from 'zod'
import { isJsonObject } from '../../io/files/json-parse.ts'
import { refuse } from '../schema-error.ts'
import { MergeTable } from './merge-table.ts'
import { MAX_ID } from './settings.ts'
import type { TokenIds } from './steps.ts'
import { TokenTable } from './token-table.ts'

// Schemas for the vocabulary and the merges of a model. They have hundreds of thousands of entries, so they are
// validated and converted in one pass, without a schema per entry.

/** `{ token: id }`, or a table made by `readTokenizerJsonFile`. */
export const vocabulary = z.unknown().transform((json, context): TokenTable => {
  if (json instanceof TokenTable) return json
  const table = new TokenTable()
  if (!isJsonObject(json)) return refuse(context, json, 'an object of tokens and their ids')
  for (const token of Object.keys(json)) {
    const id = json[token]
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= MAX_ID)
      return refuse(context, id, `a whole number from 0 to ${MAX_ID - 1}`, { path: [token] })
    table.set(token, id)
  }
  return table
})

/** Tokens and scores by id. */
export interface ScoredVocabulary {
  tokens: string[]
  scores: Float64Array
}

/** `[[token, score], …]`, indexed by id. */
export const scoredVocabulary = z.unknown().transform((json, context): ScoredVocabulary => {
  if (!Array.isArray(json)) return refuse(context, json, 'a list of [token, score]')
  const list: unknown[] = json
  const tokens = new Array<string>(list.length)
  const scores = new Float64Array(list.length)
  for (let id = 0; id < list.length; id++) {
    const entry = list[id]
    const [token, score]: unknown[] = Array.isArray(entry) ? entry : []
    if (typeof token !== 'string' || typeof score !== 'number')
      return refuse(context, entry, 'a token and its score', { path: [id] })
    tokens[id] = token
    scores[id] = score
  }
  return { tokens, scores }
})

/**
 * Reads `["left right", …]` or `[["left", "right"], …]`, or accepts a table made by `readTokenizerJsonFile`. Tokens
 * inside a word begin with `prefix`, which is removed from the right token of a pair.
 */
export function readMerges(
  merges: unknown,
  { vocab, prefix }: { vocab: TokenIds; prefix: string },
  context: Pick<z.RefinementCtx, 'issues'>,
): MergeTable {
  if (merges instanceof Merges) return merges.table
  if (!Array.isArray(merges)) return refuse(context, merges, 'a list', { path: ['merges'] })
  const list: unknown[] = merges
  const table = new MergeTable()
  const read = Array.isArray(list[0]) ? pairOfList : pairOfLine
  for (let i = 0; i < list.length; i++) {
    const pair = read(list[i])
    const left = pair && vocab.get(pair[0])
    const right = pair && vocab.get(pair[1])
    if (pair === undefined || left === undefined || right === undefined)
      return refuse(context, list[i], 'two tokens of the vocabulary', { path: ['merges', i] })
    const token = vocab.get(pair[0] + (prefix === '' ? pair[1] : pair[1].slice(prefix.length)))
    if (token === undefined)
      return refuse(context, list[i], 'two tokens whose concatenation is in the vocabulary', {
        path: ['merges', i],
      })
    table.add(left, right, token)
  }
  return table
}

/** The merges of a tokenizer.json, read into a table. */
export class Merges {
  readonly table = new MergeTable()
  private readonly vocab: TokenTable
  readonly asLines: boolean

  /** @param asLines whether the file has `"left right"` instead of `["left", "right"]` */
  constructor(vocab: TokenTable, asLines: boolean) {
    this.vocab = vocab
    this.asLines = asLines
  }

  toJSON(): (string | string[])[] {
    const pairs = this.table.pairs().map((pair) => pair.map((id) => this.vocab.tokenOf(id) ?? ''))
    return this.asLines ? pairs.map((pair) => pair.join(' ')) : pairs
  }
}

type Pair = readonly [left: string, right: string]

/** Accepts a list of two strings. */
function pairOfList(merge: unknown): Pair | undefined {
  return isPair(merge) ? merge : undefined
}

function isPair(merge: unknown): merge is Pair {
  if (!Array.isArray(merge) || merge.length !== 2) return false
  return typeof merge[0] === 'string' && typeof merge[1] === 'string'
}

function pairOfLine(merge: unknown): Pair | undefined {
  if (typeof merge !== 'string') return undefined
  const space = merge.indexOf(' ')
  if (space < 0 || merge.includes(' ', space + 1)) return undefined
  return [merge.slice(0, space), merge.slice(space + 1)]
}

/** The settings of a model as in tokenizer.json, with tables converted to JSON. */
export function withoutTables<Settings extends Record<string, unknown>>(model: Settings): Settings {
  const { vocab, merges } = model
  return {
    ...model,
    ...(vocab instanceof TokenTable && { vocab: vocab.toJSON() }),
    ...(merges instanceof Merges && { merges: merges.toJSON() }),
  }
}
