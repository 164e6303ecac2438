import { isJsonObject } from '../../io/files/json-parse.ts'
import { HeedError } from '../../util/errors.ts'
import { checkPatterns } from './check-patterns.ts'
import type { TokenizerConfig, TokenizerJson } from './tokenizer-json.ts'

/**
 * Takes `tokenizer.json` only when it can be trusted: ids that no array could hold, two tokens
 * with one id, merges of tokens that do not exist and patterns that run for ever are refused here,
 * because the library below believes what it is given.
 */
export function checkTokenizerJson(json: unknown, source: string): TokenizerJson {
  const fail: Fail = (problem, remedy) => {
    throw new HeedError('unknown-name', `${source} is not a usable tokenizer: ${problem}`, {
      remedy,
    })
  }
  if (!isJsonObject(json)) fail('it is not an object')
  const file = { ...json } as unknown as TokenizerJson
  for (const part of PARTS) {
    file[part] ??= null
    if (file[part] !== null && !isJsonObject(file[part])) fail(`${part} is not an object`)
  }
  if (!isJsonObject(file.model)) fail('it has no model', 'Is this a tokenizer.json at all?')
  file.added_tokens ??= []
  const tokens = checkVocab(file, fail)
  checkAddedTokens(file, tokens, fail)
  if (file.model.type === 'BPE' || file.model.merges !== undefined) checkMerges(file, tokens, fail)
  checkPatterns(json, fail)
  return file
}

/** Takes `tokenizer_config.json`; what it says of single tokens is looked at when asked for. */
export function checkTokenizerConfig(config: unknown, source: string): TokenizerConfig {
  if (isJsonObject(config)) return { ...config } as TokenizerConfig
  throw new HeedError('corrupt-file', `${source} is not an object`)
}

export type Fail = (problem: string, remedy?: string) => never

const PARTS = ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder'] as const
const MODELS = ['BPE', 'WordPiece', 'Unigram', 'WordLevel']
const MAX_ID = 2 ** 24 // far above every vocabulary that there is (o200k: 2^17.6)

/** Token to id, from either shape of vocabulary: `{ token: id }`, or Unigram's [token, score]. */
function checkVocab({ model }: TokenizerJson, fail: Fail): Map<string, number> {
  if (model.type !== undefined && !MODELS.includes(model.type)) {
    fail(`its model is ${JSON.stringify(model.type)}`, `Known models: ${MODELS.join(', ')}.`)
  }
  if (Array.isArray(model.vocab)) return checkUnigram(model.vocab, model.unk_id, fail)
  if (!isJsonObject(model.vocab)) fail('its model has no vocab')
  const ids = new Map<string, number>()
  const taken = new Map<number, string>()
  for (const [token, id] of Object.entries(model.vocab)) {
    claim(taken, token, checkId(id, token, fail), fail)
    ids.set(token, id as number)
  }
  return ids
}

function checkUnigram(vocab: unknown[], unkId: unknown, fail: Fail): Map<string, number> {
  if (unkId != null && !(Number.isInteger(unkId) && (unkId as number) in vocab)) {
    fail(`its unk_id is ${JSON.stringify(unkId)}, its vocab has ${vocab.length} entries`)
  }
  return new Map(
    vocab.map((entry, id) => {
      const [token, score] = Array.isArray(entry) ? entry : []
      if (typeof token !== 'string' || typeof score !== 'number') {
        fail(`entry ${id} of its vocab is not [token, score]`)
      }
      return [token, id]
    }),
  )
}

function checkAddedTokens(file: TokenizerJson, ids: Map<string, number>, fail: Fail): void {
  if (!Array.isArray(file.added_tokens)) fail('added_tokens is not a list')
  const taken = new Map(Array.from(ids, ([token, id]) => [id, token]))
  for (const added of file.added_tokens as unknown[]) {
    if (!isJsonObject(added) || typeof added.content !== 'string' || added.content === '') {
      fail(`added_tokens holds ${shorten(added)}, which has no content`)
    }
    claim(taken, added.content, checkId(added.id, added.content, fail), fail)
    const known = ids.get(added.content)
    if (known !== undefined && known !== added.id) {
      fail(`token ${shorten(added.content)} has id ${known} in vocab, ${added.id} in added_tokens`)
    }
    ids.set(added.content, added.id as number)
  }
}

function checkMerges({ model }: TokenizerJson, ids: Map<string, number>, fail: Fail): void {
  const { merges, continuing_subword_prefix: prefix } = model
  if (!Array.isArray(merges)) fail('its model has no merges')
  const written = Array.isArray(merges[0]) ? asPair : asLine
  const skipped = typeof prefix === 'string' ? prefix.length : 0
  merges.forEach((merge: unknown, i: number) => {
    const parts = written(merge)
    if (parts.length !== 2 || parts.some((part) => !ids.has(part as string))) {
      fail(`merge ${i} (${shorten(merge)}) does not name two tokens of its vocab`)
    }
    const [left, right] = parts as [string, string]
    if (ids.has(left + right.slice(skipped))) return
    fail(`merge ${i} (${shorten(merge)}) makes no token of its vocab`)
  })
}

function asPair(merge: unknown): unknown[] {
  return Array.isArray(merge) ? merge : []
}

function asLine(merge: unknown): unknown[] {
  return typeof merge === 'string' ? merge.split(' ') : []
}

function checkId(id: unknown, token: string, fail: Fail): number {
  if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < MAX_ID) return id as number
  return fail(`token ${shorten(token)} has id ${shorten(id)}, not a whole number below ${MAX_ID}`)
}

function claim(taken: Map<number, string>, token: string, id: number, fail: Fail): void {
  const owner = taken.get(id)
  if (owner !== undefined && owner !== token) {
    fail(`tokens ${shorten(owner)} and ${shorten(token)} both have id ${id}`)
  }
  taken.set(id, token)
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
