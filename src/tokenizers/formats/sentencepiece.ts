import { HeedError } from '../../util/errors.ts'
import { mergesOf } from './merges-of.ts'
import { readMessage } from './protobuf.ts'
import {
  type ComponentJson,
  specialToken,
  type TokenizerConfig,
  type TokenizerJson,
} from './tokenizer-json.ts'

/**
 * A SentencePiece model as the contents of the two files of a tokenizer, as transformers converts
 * it. `add_bos_token` and `add_eos_token` of the config put those around texts.
 */
export function sentencePieceFiles(
  bytes: Uint8Array,
  config: TokenizerConfig,
  source: string,
): { json: TokenizerJson; config: TokenizerConfig } {
  const model = readModel(bytes, source)
  const json: TokenizerJson = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(model),
    normalizer: { type: 'Sequence', normalizers: normalizers(model) },
    pre_tokenizer: model.kind === 'Unigram' && !hasInnerSpace(model) ? WORDS : null,
    post_processor: around(model, config.add_bos_token === true, config.add_eos_token === true),
    decoder: { type: 'Sequence', decoders: decoders(model) },
    model: model.kind === 'Unigram' ? unigram(model) : bpe(model),
  }
  return { json, config: { ...model.special, ...config } }
}

/**
 * T5's spiece.model: `</s>` ends a text, and the sentinels `<extra_id_0>` … stand behind the pieces, the
 * last of them first, `extra_ids` of the config (by default 100, as in transformers) in number.
 */
export function t5Files(
  bytes: Uint8Array,
  config: TokenizerConfig,
  source: string,
): { json: TokenizerJson; config: TokenizerConfig } {
  const { extra_ids = 100 } = config
  if (!Number.isInteger(extra_ids) || (extra_ids as number) < 0 || (extra_ids as number) > 10_000)
    throw new HeedError(
      'corrupt-file',
      `extra_ids is ${JSON.stringify(extra_ids)} in the config of ${source}`,
      {
        remedy: 'It is the number of sentinels, 100 in published checkpoints.',
      },
    )
  const { json, config: settings } = sentencePieceFiles(
    bytes,
    { ...config, add_eos_token: true },
    source,
  )
  const pieces = json.model.vocab as unknown[]
  const last = extra_ids as number
  const sentinels = Array.from({ length: last }, (_, i) =>
    specialToken(`<extra_id_${last - 1 - i}>`, pieces.length + i),
  )
  json.added_tokens = [...(json.added_tokens ?? []), ...sentinels]
  return { json, config: settings }
}

interface Piece {
  text: string
  score: number
  type: number
}

interface Model {
  pieces: Piece[]
  kind: 'Unigram' | 'BPE'
  byteFallback: boolean
  charsMap: Uint8Array
  /** A space goes before the text; spaces at the ends and further ones in a row go. */
  addsPrefix: boolean
  removesSpaces: boolean
  special: { bos_token?: string; eos_token?: string; unk_token?: string; pad_token?: string }
}

const NORMAL = 1
const UNKNOWN = 2
const CONTROL = 3
const USER_DEFINED = 4
const KINDS: Record<number, Model['kind']> = { 1: 'Unigram', 2: 'BPE', 4: 'BPE' } // 4: characters
const MAX_PIECES = 1 << 22

function readModel(bytes: Uint8Array, source: string): Model {
  const pieces: Piece[] = []
  let trainer = new Map<number, number | Uint8Array>()
  let normalizer = new Map<number, number | Uint8Array>()
  for (const { number, value } of readMessage(bytes, source)) {
    if (typeof value === 'number') continue
    if (number === 1 && pieces.length < MAX_PIECES) pieces.push(readPiece(value, source))
    else if (number === 2) trainer = lastFields(value, source)
    else if (number === 3) normalizer = lastFields(value, source)
  }
  const kind = KINDS[Number(trainer.get(3) ?? 1)]
  if (pieces.length === 0 || !kind) {
    throw new HeedError('corrupt-file', `${source} is not a usable SentencePiece model`, {
      remedy: pieces.length === 0 ? 'It holds no pieces.' : 'Unigram and BPE models can be read.',
    })
  }
  const tokenAt = (field: number, usual: number): string | undefined => {
    const id = Number(trainer.get(field) ?? usual)
    return pieces[id]?.type === CONTROL || pieces[id]?.type === UNKNOWN
      ? pieces[id].text
      : undefined
  }
  const special = {
    unk_token: tokenAt(40, 0),
    bos_token: tokenAt(41, 1),
    eos_token: tokenAt(42, 2),
    pad_token: tokenAt(43, -1),
  }
  const charsMap = normalizer.get(2)
  return {
    pieces,
    kind,
    byteFallback: trainer.get(35) === 1,
    charsMap: charsMap instanceof Uint8Array ? charsMap : new Uint8Array(),
    addsPrefix: normalizer.get(3) !== 0,
    removesSpaces: normalizer.get(4) !== 0,
    special: Object.fromEntries(Object.entries(special).filter(([, token]) => token)),
  }
}

function readPiece(bytes: Uint8Array, source: string): Piece {
  const fields = lastFields(bytes, source)
  const text = fields.get(1)
  const score = fields.get(2)
  return {
    text: text instanceof Uint8Array ? decoder.decode(text) : '',
    score: typeof score === 'number' ? score : 0,
    type: Number(fields.get(3) ?? NORMAL),
  }
}

/** Of fields that are written twice the last counts. */
function lastFields(bytes: Uint8Array, source: string): Map<number, number | Uint8Array> {
  const fields = new Map<number, number | Uint8Array>()
  for (const { number, value } of readMessage(bytes, source)) fields.set(number, value)
  return fields
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function addedTokens({ pieces }: Model) {
  return pieces.flatMap(({ text, type }, id) => {
    if (text === '' || (type !== UNKNOWN && type !== CONTROL && type !== USER_DEFINED)) return []
    return [{ ...specialToken(text, id), special: type !== USER_DEFINED }]
  })
}

function normalizers({ charsMap, addsPrefix, removesSpaces }: Model): ComponentJson[] {
  const steps: ComponentJson[] = []
  if (charsMap.length > 0) {
    const binary = Array.from(charsMap, (byte) => String.fromCharCode(byte)).join('')
    const precompiled_charsmap = btoa(binary)
    steps.push({ type: 'Precompiled', precompiled_charsmap })
  }
  if (removesSpaces) {
    steps.push({ type: 'Strip', strip_left: true, strip_right: true })
    steps.push({ type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' })
  }
  if (addsPrefix) steps.push({ type: 'Prepend', prepend: '▁' })
  return [...steps, { type: 'Replace', pattern: { String: ' ' }, content: '▁' }]
}

const WORDS = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: true }

function hasInnerSpace({ pieces }: Model): boolean {
  return pieces.some(({ text, type }) => type === NORMAL && text.indexOf('▁', 1) > 0)
}

function decoders({ addsPrefix }: Model): ComponentJson[] {
  const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 }
  return [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    ...(addsPrefix ? [strip] : []),
  ]
}

function around(model: Model, bos: boolean, eos: boolean): ComponentJson | null {
  const names = [bos && model.special.bos_token, eos && model.special.eos_token]
  const [before, after] = names.map((id) => (id ? [{ SpecialToken: { id, type_id: 0 } }] : []))
  const special = names.filter((name) => typeof name === 'string')
  if (special.length === 0) return null
  const text = (id: string) => [...before, { Sequence: { id, type_id: 0 } }, ...after]
  return {
    type: 'TemplateProcessing',
    single: text('A'),
    pair: [...text('A'), ...text('B')],
    special_tokens: Object.fromEntries(
      special.map((id) => {
        return [id, { id, ids: [model.pieces.findIndex(({ text }) => text === id)], tokens: [id] }]
      }),
    ),
  }
}

function unigram({ pieces, byteFallback }: Model): ComponentJson {
  const unk = pieces.findIndex(({ type }) => type === UNKNOWN)
  return {
    type: 'Unigram',
    unk_id: unk < 0 ? null : unk,
    vocab: pieces.map(({ text, score }) => [text, score]),
    byte_fallback: byteFallback,
  }
}

/** Pairs are joined by the score of what they make, the highest first. */
function bpe({ pieces, byteFallback, special }: Model): ComponentJson {
  const joined = new Map<string, number>()
  for (const { text, score, type } of pieces) if (type === NORMAL) joined.set(text, -score)
  return {
    type: 'BPE',
    dropout: null,
    unk_token: special.unk_token ?? null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: true,
    byte_fallback: byteFallback,
    ignore_merges: false,
    vocab: Object.fromEntries(pieces.map(({ text }, id) => [text, id])),
    merges: mergesOf(joined, (token) => Array.from(token)),
  }
}
