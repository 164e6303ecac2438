// Steps of each kind of tokenizer in GGUF files (`tokenizer.ggml.model`).
import type { GGUFMetadata } from '../../io/gguf/gguf.ts'
import { HeedError } from '../../util/errors.ts'
import { bertSteps, wordPieceJson } from '../train/trained-json.ts'
import { mergesOfScores } from './gguf-merges.ts'
import { preTokenizerNamed } from './gguf-pre-tokenizers.ts'
import { filesOf } from './sentencepiece.ts'
import { BYTE, CONTROL, UNKNOWN } from './sentencepiece-model.ts'
import type { ComponentJson, TokenizerJson } from './tokenizer-json.ts'

export interface Vocabulary {
  metadata: GGUFMetadata
  path: string
  tokens: readonly string[]
  /** Type of each token, with the numbers of SentencePiece. */
  types: readonly number[]
}

interface Steps extends Pick<TokenizerJson, 'normalizer' | 'pre_tokenizer' | 'decoder' | 'model'> {
  /** Tokens around texts. Default: determined by the next two settings. */
  post_processor?: ComponentJson | null
  /** Default for starting texts with the bos token. */
  addsBos: boolean
  /** Default for ending texts with the eos token. */
  addsEos?: boolean
}

export const REMEDY = 'Download the file again, or repeat the conversion of the model.'

const replace = (text: string, content: string): ComponentJson => ({
  type: 'Replace',
  pattern: { String: text },
  content,
})

const UNMARK = [replace('▁', ' '), { type: 'ByteFallback' }, { type: 'Fuse' }]

const sequence = (key: string, steps: ComponentJson[]): ComponentJson => ({
  type: 'Sequence',
  [key]: steps,
})

/** Kinds by `tokenizer.ggml.model`. */
export const KINDS: Record<string, (vocabulary: Vocabulary) => Steps> = {
  /** Byte-level BPE. */
  gpt2: ({ metadata, path }) => {
    const { ignoreMerges, addsBos, ...pre } = preTokenizerNamed(
      metadata.string('tokenizer.ggml.pre', undefined),
      path,
    )
    return {
      ...pre,
      addsBos,
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        unk_token: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: ignoreMerges,
        merges: metadata.strings('tokenizer.ggml.merges') ?? [],
      },
    }
  },

  /** SentencePiece's BPE, which has scores. */
  llama: (vocabulary) => {
    const { metadata, tokens, types } = vocabulary
    const prefixed = metadata.bool('tokenizer.ggml.add_space_prefix', true)
    const isText = (id: number): boolean => ![UNKNOWN, CONTROL, BYTE].includes(types[id])
    const marks = [replace(' ', '▁')]
    const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 }
    return {
      normalizer: sequence(
        'normalizers',
        prefixed ? [{ type: 'Prepend', prepend: '▁' }, ...marks] : marks,
      ),
      pre_tokenizer: null,
      decoder: sequence('decoders', [...UNMARK, ...(prefixed ? [strip] : [])]),
      addsBos: true,
      model: {
        ...bytePieces(vocabulary),
        ignore_merges: false,
        merges: mergesOfScores(tokens, scoresOf(vocabulary), isText),
      },
    }
  },

  /** SentencePiece's BPE with merges, as in Gemma 4. */
  gemma4: (vocabulary) => ({
    normalizer: replace(' ', '▁'),
    pre_tokenizer: {
      type: 'Split',
      pattern: { Regex: '[^\\n]+|[\\n]+' },
      behavior: 'Isolated',
      invert: false,
    },
    decoder: sequence('decoders', UNMARK),
    addsBos: false,
    model: {
      ...bytePieces(vocabulary),
      ignore_merges: false,
      merges: pairsOf(vocabulary.metadata.strings('tokenizer.ggml.merges') ?? []),
    },
  }),

  /** BERT's WordPiece. GGUF marks tokens at the start of a word instead of those inside a word. */
  bert: (vocabulary) => {
    const { metadata, tokens, types } = vocabulary
    const wordPieces = tokens.map((token, id) => {
      if (types[id] === CONTROL || types[id] === UNKNOWN) return token
      return token.startsWith('▁') ? token.slice(1) : `##${token}`
    })
    const flag = (name: string) => metadata.bool(`tokenizer.ggml.normalizer.${name}`, true)
    const ids = new Map(wordPieces.map((token, id) => [token, id]))
    const { normalizer, pre_tokenizer, post_processor, decoder, model } = wordPieceJson(ids, {
      ids,
      names: {
        cls_token: tokenNamed(vocabulary, 'cls') ?? tokenNamed(vocabulary, 'bos'),
        sep_token: tokenNamed(vocabulary, 'seperator') ?? tokenNamed(vocabulary, 'eos'),
        unk_token: tokenNamed(vocabulary, 'unknown'),
      },
      steps: bertSteps(flag('lowercase'), { stripAccents: flag('strip_accents') }),
    })
    return { normalizer, pre_tokenizer, post_processor, decoder, model, addsBos: false }
  },

  /** SentencePiece's Unigram. */
  t5: (vocabulary) => {
    const { metadata, tokens, types } = vocabulary
    const scores = scoresOf(vocabulary)
    const charsMap = metadata.numbers('tokenizer.ggml.precompiled_charsmap') ?? []
    const { json } = filesOf(
      {
        pieces: tokens.map((text, id) => ({ text, score: scores[id], type: types[id] })),
        kind: 'Unigram',
        byteFallback: types.includes(BYTE),
        charsMap: Uint8Array.from(charsMap),
        addsPrefix: metadata.bool('tokenizer.ggml.add_space_prefix', true),
        removesSpaces: metadata.bool('tokenizer.ggml.remove_extra_whitespaces', true),
        special: {},
      },
      {},
    )
    const { normalizer, pre_tokenizer, decoder, model } = json
    return { normalizer, pre_tokenizer, decoder, model, addsBos: false, addsEos: true }
  },
}

/** The token of `tokenizer.ggml.bos_token_id` and similar keys; undefined if there is none. */
export function tokenNamed({ metadata, tokens }: Vocabulary, name: string): string | undefined {
  return tokens[metadata.number(`tokenizer.ggml.${name}_token_id`, undefined) ?? -1]
}

/** Settings for characters without a token: byte tokens, or the unknown token. */
function bytePieces({ tokens, types }: Vocabulary) {
  const unk_token = tokens[types.indexOf(UNKNOWN)] ?? null
  return { unk_token, fuse_unk: true, byte_fallback: types.includes(BYTE) }
}

function scoresOf({ metadata, path, tokens }: Vocabulary): number[] {
  const scores = metadata.numbers('tokenizer.ggml.scores')
  if (scores?.length === tokens.length) return scores
  throw new HeedError(
    'corrupt-file',
    `\`tokenizer.ggml.scores\` in ${path} must have a score for each of the ${tokens.length} tokens, got ${scores?.length ?? 'none'}`,
    { key: 'tokenizer.ggml.scores', remedy: REMEDY },
  )
}

/** Parses merges with a space between two tokens. The first token may start with a space. */
function pairsOf(merges: readonly string[]): [left: string, right: string][] {
  return merges.map((merge) => {
    const space = merge.indexOf(' ', 1)
    return [merge.slice(0, space), merge.slice(space + 1)]
  })
}
