import { specialTokensOf } from '../chat/special-tokens.ts'
import { around } from './around.ts'
import { classOf, withClassTokens } from './classes.ts'
import { mergesOfScores } from './gguf-merges.ts'
import { CONTROL, type SentencePieceModel, USER_DEFINED } from './sentencepiece-model.ts'
import {
  type AddedTokenJson,
  type ComponentJson,
  specialToken,
  type TokenizerConfig,
  type TokenizerJson,
} from './tokenizer-json.ts'

/**
 * Converts a SentencePiece model like the config's class in transformers, if that class changes the first tokens
 * (XLM-RoBERTa, CamemBERT) and how text is split. Undefined for other classes.
 */
export function sentencePieceOfClass(
  model: SentencePieceModel,
  config: TokenizerConfig,
): { json: TokenizerJson; config: TokenizerConfig } | undefined {
  const name = classOf(config)
  if (!Object.hasOwn(CLASSES, name)) return undefined
  const named = withClassTokens(config)
  const steps = CLASSES[name](model, named)
  const json: TokenizerJson = {
    version: '1.0',
    truncation: null,
    padding: null,
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    added_tokens: addedTokens(model),
    ...steps,
  }
  return { json, config: named }
}

type Steps = Pick<TokenizerJson, 'decoder' | 'model'> & Partial<TokenizerJson>

const CLASSES: Record<string, (model: SentencePieceModel, config: TokenizerConfig) => Steps> = {
  XLMRoberta: (model, config) => {
    const {
      bos_token = '<s>',
      pad_token,
      eos_token,
      unk_token,
      mask_token,
    } = specialTokensOf(config)
    const pieces = [
      ...scored([bos_token, pad_token ?? '<pad>', eos_token ?? '</s>', unk_token ?? '<unk>']),
      ...scoredPieces(model).slice(3),
      ...scored([mask_token ?? '<mask>']),
    ]
    return wordsOf(model, config, { pieces, unknown: 3 })
  },

  Camembert: (model, config) => {
    const {
      pad_token = '<pad>',
      unk_token = '<unk>',
      mask_token = '<mask>',
    } = specialTokensOf(config)
    const front = ['<s>NOTUSED', pad_token, '</s>NOTUSED', unk_token]
    const pieces = [
      ...scored(front),
      ['<unk>NOTUSED', -100] as const,
      ...scoredPieces(model).slice(1),
      ...scored([mask_token]),
    ]
    const unknown = pieces.findIndex(([token]) => token === unk_token)
    return {
      ...wordsOf(model, config, { pieces, unknown: Math.max(0, unknown) }),
      added_tokens: front.map((token, id) => specialToken(token, id)),
    }
  },

  Llama: (model, config) => {
    const prefixed = config.add_prefix_space !== false
    const first = config.legacy === true ? 'always' : 'first'
    const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 }
    return {
      pre_tokenizer: metaspace(prefixed ? first : 'never', false),
      decoder: sequence([...UNMARK, ...(prefixed ? [strip] : [])]),
      post_processor: endsOf(model, config),
      model: bpe(model, null),
    }
  },

  Gemma: (model, config) => ({
    normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    pre_tokenizer: {
      type: 'Split',
      pattern: { String: ' ' },
      behavior: 'MergedWithPrevious',
      invert: false,
    },
    decoder: sequence(UNMARK),
    post_processor: endsOf(model, config),
    model: bpe(model, specialTokensOf(config).unk_token ?? null),
  }),
}

const UNMARK = [
  { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
  { type: 'ByteFallback' },
  { type: 'Fuse' },
]

type Scored = readonly [token: string, score: number]

const scored = (tokens: readonly string[]): Scored[] => tokens.map((token) => [token, 0])

const scoredPieces = ({ pieces }: SentencePieceModel): Scored[] =>
  pieces.map(({ text, score }) => [text, score])

/** A Unigram model over words, each with the preceding space. Templates: `<s> A </s>` and `<s> A </s> </s> B </s>`. */
function wordsOf(
  model: SentencePieceModel,
  config: TokenizerConfig,
  { pieces, unknown }: { pieces: readonly Scored[]; unknown: number },
): Steps {
  const { bos_token = '<s>', eos_token = '</s>' } = specialTokensOf(config)
  const scheme = config.add_prefix_space === false ? 'never' : 'always'
  const ids = new Map(pieces.map(([token], id) => [token, id]))
  const token = (id: string) => ({ SpecialToken: { id, type_id: 0 } })
  const text = (id: string) => ({ Sequence: { id, type_id: 0 } })
  const single = [token(bos_token), text('A'), token(eos_token)]
  return {
    normalizer: charsMap(model),
    pre_tokenizer: words(scheme),
    decoder: metaspace(scheme, true),
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, token(eos_token), text('B'), token(eos_token)],
      special_tokens: Object.fromEntries(
        [bos_token, eos_token].map((id) => [id, { id, ids: [ids.get(id) ?? 0], tokens: [id] }]),
      ),
    },
    model: { type: 'Unigram', unk_id: unknown, vocab: pieces, byte_fallback: false },
    added_tokens: addedTokens(model).flatMap((token) => {
      const id = ids.get(token.content)
      return id === undefined ? [] : [{ ...token, id }]
    }),
  }
}

/** Pre-tokenizer of T5, XLM-RoBERTa and CamemBERT. */
export function words(scheme: 'always' | 'never'): ComponentJson {
  return {
    type: 'Sequence',
    pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace(scheme, true)],
  }
}

export function metaspace(prepend_scheme: string, split: boolean): ComponentJson {
  return { type: 'Metaspace', replacement: '▁', prepend_scheme, split }
}

export function charsMap({ charsMap }: SentencePieceModel): ComponentJson | null {
  if (charsMap.length === 0) return null
  const binary = Array.from(charsMap, (byte) => String.fromCharCode(byte)).join('')
  return { type: 'Precompiled', precompiled_charsmap: btoa(binary) }
}

/** Control pieces (special) and user-defined pieces (not special). Both are searched in the original text. */
function addedTokens({ pieces }: SentencePieceModel): AddedTokenJson[] {
  return pieces.flatMap(({ text, type }, id) => {
    if (text === '' || (type !== CONTROL && type !== USER_DEFINED)) return []
    return [{ ...specialToken(text, id), special: type === CONTROL }]
  })
}

function endsOf({ pieces }: SentencePieceModel, config: TokenizerConfig): ComponentJson | null {
  const names = specialTokensOf(config)
  const end = (key: 'bos_token' | 'eos_token') => {
    const token = config[`add_${key}`] === true ? names[key] : undefined
    const id = pieces.findIndex(({ text }) => text === token)
    return token === undefined || id < 0 ? undefined : ([token, id] as const)
  }
  return around(end('bos_token'), end('eos_token'))
}

/** BPE that joins the pair with the lowest id first. */
function bpe({ pieces }: SentencePieceModel, unk_token: string | null): ComponentJson {
  const tokens = pieces.map(({ text }) => text)
  return {
    type: 'BPE',
    dropout: null,
    unk_token,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: true,
    byte_fallback: true,
    ignore_merges: false,
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges: mergesOfScores(
      tokens,
      tokens.map((_, id) => -id),
      () => true,
    ),
  }
}

const sequence = (decoders: ComponentJson[]): ComponentJson => ({ type: 'Sequence', decoders })
