import { HeedError, shown } from '../../util/errors.ts'
import { mergesOf } from './merges-of.ts'
import { readMessage } from './protobuf.ts'
import {
  type ComponentJson,
  specialToken,
  type TokenizerConfig,
  type TokenizerJson,
} from './tokenizer-json.ts'

/**
 * Converts a SentencePiece model to the two files of a tokenizer, as transformers does. `add_bos_token` and
 * `add_eos_token` of the config add those tokens around texts.
 */
export function sentencePieceFiles(
  bytes: Uint8Array,
  config: TokenizerConfig,
  source: string,
): { json: TokenizerJson; config: TokenizerConfig } {
  return filesOf(readSentencePiece(bytes, source), config)
}

/** The two files of a tokenizer for a model that has been read. */
export function filesOf(
  model: SentencePieceModel,
  config: TokenizerConfig,
): { json: TokenizerJson; config: TokenizerConfig } {
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
 * Converts T5's spiece.model: `</s>` ends a text, and the sentinels `<extra_id_0>` … follow the pieces, the last
 * sentinel first. `extra_ids` of the config is their number (default 100, as in transformers).
 */
export function t5Files(
  bytes: Uint8Array,
  config: TokenizerConfig,
  source: string,
): { json: TokenizerJson; config: TokenizerConfig } {
  const { extra_ids = 100 } = config
  const count = typeof extra_ids === 'number' && Number.isInteger(extra_ids) ? extra_ids : -1
  if (count < 0 || count > 10_000)
    throw new HeedError(
      'invalid-config',
      `\`extra_ids\` in the config of ${source} must be a whole number from 0 to 10000, got ${shown(extra_ids)}`,
      {
        key: 'extra_ids',
        value: extra_ids,
        try: { extra_ids: [100] },
        remedy: 'Set it to the number of sentinels, which is 100 in published checkpoints.',
      },
    )
  const model = readSentencePiece(bytes, source)
  const { json, config: settings } = filesOf(model, { ...config, add_eos_token: true })
  const sentinels = Array.from({ length: count }, (_, i) =>
    specialToken(`<extra_id_${count - 1 - i}>`, model.pieces.length + i),
  )
  json.added_tokens = [...(json.added_tokens ?? []), ...sentinels]
  return { json, config: settings }
}

interface Piece {
  text: string
  score: number
  type: number
}

export interface SentencePieceModel {
  pieces: Piece[]
  kind: 'Unigram' | 'BPE'
  byteFallback: boolean
  charsMap: Uint8Array
  /** Whether a space is added in front of the text. */
  addsPrefix: boolean
  /** Whether spaces at the ends and repeated spaces are removed. */
  removesSpaces: boolean
  special: { bos_token?: string; eos_token?: string; unk_token?: string; pad_token?: string }
}

const NORMAL = 1
const UNKNOWN = 2
const CONTROL = 3
const USER_DEFINED = 4
const KINDS: Record<number, SentencePieceModel['kind']> = { 1: 'Unigram', 2: 'BPE', 4: 'BPE' } // 4: characters
const MAX_PIECES = 1 << 22

/** @throws HeedError for a file that is not a Unigram or BPE model */
export function readSentencePiece(bytes: Uint8Array, source: string): SentencePieceModel {
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
    const problem = pieces.length === 0 ? 'no pieces' : 'another kind of model'
    throw new HeedError(
      pieces.length === 0 ? 'corrupt-file' : 'unsupported',
      `${source} must be a Unigram or BPE model of SentencePiece, got ${problem}`,
      { remedy: 'Use another tokenizer file of the model, such as its tokenizer.json.' },
    )
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

/** The fields of a message; of repeated ones the last. */
function lastFields(bytes: Uint8Array, source: string): Map<number, number | Uint8Array> {
  const fields = new Map<number, number | Uint8Array>()
  for (const { number, value } of readMessage(bytes, source)) fields.set(number, value)
  return fields
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function addedTokens({ pieces }: SentencePieceModel) {
  return pieces.flatMap(({ text, type }, id) => {
    if (text === '' || (type !== UNKNOWN && type !== CONTROL && type !== USER_DEFINED)) return []
    return [{ ...specialToken(text, id), special: type !== USER_DEFINED }]
  })
}

function normalizers({ charsMap, addsPrefix, removesSpaces }: SentencePieceModel): ComponentJson[] {
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

function hasInnerSpace({ pieces }: SentencePieceModel): boolean {
  return pieces.some(({ text, type }) => type === NORMAL && text.indexOf('▁', 1) > 0)
}

function decoders({ addsPrefix }: SentencePieceModel): ComponentJson[] {
  const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 }
  return [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    ...(addsPrefix ? [strip] : []),
  ]
}

function around(model: SentencePieceModel, bos: boolean, eos: boolean): ComponentJson | null {
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

function unigram({ pieces, byteFallback }: SentencePieceModel): ComponentJson {
  const unk = pieces.findIndex(({ type }) => type === UNKNOWN)
  return {
    type: 'Unigram',
    unk_id: unk < 0 ? null : unk,
    vocab: pieces.map(({ text, score }) => [text, score]),
    byte_fallback: byteFallback,
  }
}

/** Pairs are joined by the score of the joined token, the highest first. */
function bpe({ pieces, byteFallback, special }: SentencePieceModel): ComponentJson {
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
