import { parseJsonBytes, readJsonBytes } from '../../io/files/json.ts'
import { isJsonObject, type JsonObject } from '../../io/files/json-parse.ts'
import { Merges } from '../encode/model-settings.ts'
import { readsTables } from '../encode/register-step.ts'
import { MAX_ID } from '../encode/settings.ts'
import { hashUnits, TokenTable } from '../encode/token-table.ts'
import { JsonBytes, NotPlainJson } from './json-bytes.ts'

/**
 * Reads a tokenizer.json. If possible, `model.vocab` and `model.merges`, which are almost the whole file, are parsed
 * from bytes to tables: a file of 262,144 tokens then opens four times as fast.
 */
export async function readTokenizerJsonFile(path: string): Promise<unknown> {
  const bytes = await readJsonBytes(path)
  return withTables(bytes, path) ?? parseJsonBytes(bytes, path)
}

/** Undefined for unusual and invalid files. The normal parser then reads them or reports the error. */
function withTables(bytes: Uint8Array, path: string): unknown {
  try {
    const { rest, tables } = splitTables(bytes)
    const json = parseJsonBytes(rest, path)
    if (!isJsonObject(json) || !isJsonObject(json.model) || !accepts(json.model)) return undefined
    return { ...json, model: { ...json.model, ...tables } }
  } catch {
    return undefined
  }
}

/** Whether the model accepts tables. Tables of merges do not support a token prefix. */
function accepts({ type, continuing_subword_prefix: prefix }: JsonObject): boolean {
  if (type === 'BPE' && prefix) return false
  return type === undefined || (typeof type === 'string' && readsTables(type))
}

interface Tables {
  vocab?: TokenTable
  merges?: Merges
}

/** Splits a file into its tables and the remaining JSON. */
function splitTables(bytes: Uint8Array): { rest: Uint8Array; tables: Tables } {
  const json = new JsonBytes(bytes)
  const tables: Tables = {}
  const pieces: Uint8Array[] = []
  let copied = 0
  const cut = <Table>(empty: string, read: () => Table): Table => {
    pieces.push(bytes.subarray(copied, json.at), utf8.encode(empty))
    const table = read()
    copied = json.at
    return table
  }
  let models = 0
  json.object((length) => {
    if (json.key(length) !== 'model') return json.skip()
    if (models++ > 0) throw new NotPlainJson()
    json.object((length) => {
      const key = json.key(length)
      const value = String.fromCharCode(json.peek() ?? 0)
      if (Object.hasOwn(tables, key)) throw new NotPlainJson()
      if (key === 'vocab' && value === '{') tables.vocab = cut('{}', () => readVocab(json))
      else if (key === 'merges' && value === '[' && tables.vocab) {
        const { vocab } = tables
        tables.merges = cut('[]', () => readMerges(json, vocab))
      } else json.skip()
    })
  })
  return { rest: Buffer.concat([...pieces, bytes.subarray(copied)]), tables }
}

function readVocab(json: JsonBytes): TokenTable {
  const vocab = new TokenTable()
  json.object((length) => vocab.setUnits(json.units, length, json.integer(MAX_ID)))
  return vocab
}

function readMerges(json: JsonBytes, vocab: TokenTable): Merges {
  let merges: Merges | undefined
  json.array(() => {
    const isLine = json.peek() === QUOTE
    merges ??= new Merges(vocab, isLine)
    if (merges.asLines !== isLine) throw new NotPlainJson()
    const [middle, end] = isLine ? readLine(json) : readPair(json)
    const { units } = json
    const hash = hashUnits(units, 0, middle)
    const left = vocab.find(units, 0, middle, hash)
    const right = vocab.find(units, middle, end, hashUnits(units, middle, end))
    const token = vocab.find(units, 0, end, hashUnits(units, middle, end, hash))
    if (left < 0 || right < 0 || token < 0) throw new NotPlainJson()
    if (!merges.table.add(left, right, token)) throw new NotPlainJson() // a repeated pair
  })
  return merges ?? new Merges(vocab, true)
}

/** Reads `"left right"` as `leftright`. Returns the ends of the left and the right token. */
function readLine(json: JsonBytes): [middle: number, end: number] {
  const length = json.text()
  const line = json.units.subarray(0, length)
  const middle = line.indexOf(SPACE)
  if (middle < 0 || line.includes(SPACE, middle + 1)) throw new NotPlainJson()
  line.copyWithin(middle, middle + 1)
  return [middle, length - 1]
}

/** Reads `["left", "right"]` as `leftright`. */
function readPair(json: JsonBytes): [middle: number, end: number] {
  let [count, middle, end] = [0, 0, 0]
  json.array(() => {
    count++
    middle = end
    end = json.text(end)
  })
  if (count !== 2) throw new NotPlainJson()
  return [middle, end]
}

const SPACE = 0x20
const QUOTE = 0x22
const utf8 = new TextEncoder()
