import { HeedError, shown } from '../../util/errors.ts'
import { around, type TokenAndId } from './around.ts'
import { mergesOf } from './merges-of.ts'
import { charsMap, metaspace, sentencePieceOfClass, words } from './sentencepiece-classes.ts'
import {
  CONTROL,
  NORMAL,
  readSentencePiece,
  type SentencePieceModel,
  UNKNOWN,
  USER_DEFINED,
} from './sentencepiece-model.ts'
import {
  type ComponentJson,
  specialToken,
  type TokenizerConfig,
  type TokenizerJson,
} from './tokenizer-json.ts'

/**
 * Converts a SentencePiece model to the two files of a tokenizer, like transformers. `add_bos_token` and
 * `add_eos_token` of the config add these tokens around texts.
 */
export function sentencePieceFiles(
  bytes: Uint8Array,
  config: TokenizerConfig,
  source: string,
): { json: TokenizerJson; config: TokenizerConfig } {
  const model = readSentencePiece(bytes, source)
  return sentencePieceOfClass(model, config) ?? filesOf(model, config)
}

/** Converts a parsed model to the two files of a tokenizer. */
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
    post_processor: around(
      config.add_bos_token === true ? tokenAndId(model, 'bos_token') : undefined,
      config.add_eos_token === true ? tokenAndId(model, 'eos_token') : undefined,
    ),
    decoder: { type: 'Sequence', decoders: decoders(model) },
    model: model.kind === 'Unigram' ? unigram(model) : bpe(model),
  }
  return { json, config: { ...model.special, ...config } }
}

/**
 * Converts T5's spiece.model. `</s>` ends a text, and the sentinels `<extra_id_0>` … follow the pieces in reverse
 * order. `extra_ids` of the config is their number (default 100, as in transformers).
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
  return {
    json: {
      ...json,
      added_tokens: [...(json.added_tokens ?? []), ...sentinels],
      normalizer: charsMap(model),
      pre_tokenizer: words('always'),
      decoder: metaspace('always', true),
    },
    config: settings,
  }
}

function addedTokens({ pieces }: SentencePieceModel) {
  return pieces.flatMap(({ text, type }, id) => {
    if (text === '' || (type !== UNKNOWN && type !== CONTROL && type !== USER_DEFINED)) return []
    return [{ ...specialToken(text, id), special: type !== USER_DEFINED }]
  })
}

function normalizers(model: SentencePieceModel): ComponentJson[] {
  const { addsPrefix, removesSpaces } = model
  const map = charsMap(model)
  const steps: ComponentJson[] = map ? [map] : []
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

function tokenAndId(
  { pieces, special }: SentencePieceModel,
  key: 'bos_token' | 'eos_token',
): TokenAndId | undefined {
  const token = special[key]
  return token === undefined ? undefined : [token, pieces.findIndex(({ text }) => text === token)]
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

/** BPE that joins the pair with the highest score first. */
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
