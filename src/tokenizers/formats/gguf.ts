// The tokenizer in the metadata of a GGUF file, converted to Hugging Face's two files.
import type { GGUFMetadata } from '../../io/gguf/gguf.ts'
import { openGGUF } from '../../io/gguf/gguf.ts'
import { alternatives, HeedError, shown } from '../../util/errors.ts'
import { around, type TokenAndId } from './around.ts'
import { mergesOfScores } from './gguf-merges.ts'
import { preTokenizerNamed } from './gguf-pre-tokenizers.ts'
import type {
  AddedTokenJson,
  ComponentJson,
  TokenizerConfig,
  TokenizerJson,
} from './tokenizer-json.ts'

/** The arguments of `Tokenizer.fromJSON`, with the chat template. */
export interface TokenizerFiles {
  json: TokenizerJson
  config: TokenizerConfig
}

/** The tokenizer of a GGUF file. */
export async function readGGUFTokenizer(path: string): Promise<TokenizerFiles> {
  const file = await openGGUF(path)
  try {
    return tokenizerOf(file.metadata, path)
  } finally {
    await file.close()
  }
}

interface Vocabulary {
  metadata: GGUFMetadata
  path: string
  tokens: readonly string[]
  /** The type of each token, see below. */
  types: readonly number[]
}

const UNKNOWN = 2
const CONTROL = 3
const USER_DEFINED = 4
const BYTE = 6

function tokenizerOf(metadata: GGUFMetadata, path: string): TokenizerFiles {
  const model = metadata.string('tokenizer.ggml.model', undefined)
  const tokens = metadata.strings('tokenizer.ggml.tokens')
  if (model === undefined || tokens === undefined)
    throw new HeedError('unsupported', `${path} must contain a tokenizer, got none`, {
      key: 'tokenizer.ggml.tokens',
      remedy: 'Use the tokenizer.json of the model from which the file was converted.',
    })
  const types = metadata.numbers('tokenizer.ggml.token_type') ?? tokens.map(() => 1)
  const vocabulary = { metadata, path, tokens, types }
  checkVocabulary(vocabulary)
  const kind = Object.hasOwn(KINDS, model) ? KINDS[model] : undefined
  if (kind === undefined)
    throw new HeedError(
      'unsupported',
      `\`tokenizer.ggml.model\` in ${path} must be ${alternatives(Object.keys(KINDS))}, got ${shown(model)}`,
      {
        key: 'tokenizer.ggml.model',
        value: model,
        remedy: 'Use the tokenizer.json of the model from which the file was converted.',
      },
    )
  const steps = kind(vocabulary)
  const json: TokenizerJson = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    post_processor: postProcessor(vocabulary, steps.addsBos),
    normalizer: steps.normalizer,
    pre_tokenizer: steps.pre_tokenizer,
    decoder: steps.decoder,
    model: {
      type: 'BPE',
      dropout: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      ...steps.model,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), // also for `__proto__`
    },
  }
  return { json, config: configOf(vocabulary) }
}

interface Steps {
  normalizer: ComponentJson | null
  pre_tokenizer: ComponentJson | null
  decoder: ComponentJson
  model: ComponentJson
  /** Whether texts start with the bos token if the file does not say. */
  addsBos: boolean
}

/** By `tokenizer.ggml.model`: byte-level BPE, and SentencePiece's BPE. */
const KINDS: Record<string, (vocabulary: Vocabulary) => Steps> = {
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

  llama: ({ metadata, path, tokens, types }) => {
    const scores = metadata.numbers('tokenizer.ggml.scores')
    if (scores?.length !== tokens.length)
      throw new HeedError(
        'corrupt-file',
        `\`tokenizer.ggml.scores\` in ${path} must have a score for each of the ${tokens.length} tokens, got ${scores?.length ?? 'none'}`,
        { key: 'tokenizer.ggml.scores', remedy: REMEDY },
      )
    const prefixed = metadata.bool('tokenizer.ggml.add_space_prefix', true)
    const written = (id: number): boolean => ![UNKNOWN, CONTROL, BYTE].includes(types[id])
    const marks = [replace(' ', '▁')]
    const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 }
    return {
      normalizer: sequence(
        'normalizers',
        prefixed ? [{ type: 'Prepend', prepend: '▁' }, ...marks] : marks,
      ),
      pre_tokenizer: null,
      decoder: sequence('decoders', [
        replace('▁', ' '),
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixed ? [strip] : []),
      ]),
      addsBos: true,
      model: {
        unk_token: tokens[types.indexOf(UNKNOWN)] ?? null,
        fuse_unk: true,
        byte_fallback: types.includes(BYTE),
        ignore_merges: false,
        merges: mergesOfScores(tokens, scores, written),
      },
    }
  },
}

function checkVocabulary({ tokens, types, path }: Vocabulary): void {
  if (types.length !== tokens.length)
    throw new HeedError(
      'corrupt-file',
      `\`tokenizer.ggml.token_type\` in ${path} must have a type for each of the ${tokens.length} tokens, got ${types.length}`,
      { key: 'tokenizer.ggml.token_type', remedy: REMEDY },
    )
  const known = new Set<string>()
  const duplicate = tokens.find((token) => known.size === known.add(token).size)
  if (duplicate !== undefined)
    throw new HeedError(
      'corrupt-file',
      `\`tokenizer.ggml.tokens\` in ${path} must be unique, got ${shown(duplicate)} twice`,
      { key: 'tokenizer.ggml.tokens', value: duplicate, remedy: REMEDY },
    )
}

/** Special and user-defined tokens, which are taken out of a text before anything else. */
const addedTokens = ({ tokens, types }: Vocabulary): AddedTokenJson[] =>
  tokens.flatMap((content, id) => {
    const special = types[id] === CONTROL || types[id] === UNKNOWN
    if (content === '' || !(special || types[id] === USER_DEFINED)) return []
    const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false }
    return [{ id, content, ...plain, special }]
  })

/** The tokens around a text. */
function postProcessor(vocabulary: Vocabulary, addsBos: boolean): ComponentJson | null {
  const { metadata } = vocabulary
  const token = (name: string, byDefault: boolean): TokenAndId | undefined => {
    const adds = metadata.bool(`tokenizer.ggml.add_${name}_token`, byDefault)
    const content = adds ? tokenNamed(vocabulary, name) : undefined
    return content === undefined ? undefined : [content, vocabulary.tokens.indexOf(content)]
  }
  return around(token('bos', addsBos), token('eos', false))
}

/** The token of `tokenizer.ggml.bos_token_id` and similar keys; undefined if there is none. */
function tokenNamed({ metadata, tokens }: Vocabulary, name: string): string | undefined {
  return tokens[metadata.number(`tokenizer.ggml.${name}_token_id`, undefined) ?? -1]
}

function configOf(vocabulary: Vocabulary): TokenizerConfig {
  const { metadata } = vocabulary
  const architecture = metadata.string('general.architecture', '')
  const settings = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: metadata.number(`${architecture}.context_length`, undefined),
    bos_token: tokenNamed(vocabulary, 'bos'),
    eos_token: tokenNamed(vocabulary, 'eos'),
    unk_token: tokenNamed(vocabulary, 'unknown'),
    pad_token: tokenNamed(vocabulary, 'padding'),
    clean_up_tokenization_spaces: false,
    chat_template: chatTemplates(metadata),
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

/** The template, or a list of named ones if there are several. */
function chatTemplates(metadata: GGUFMetadata): unknown {
  const main = metadata.string(TEMPLATE, undefined)
  const named = [...metadata.entries.keys()]
    .filter((key) => key.startsWith(`${TEMPLATE}.`))
    .map((key) => ({ name: key.slice(TEMPLATE.length + 1), template: metadata.string(key) }))
  if (named.length === 0) return main
  return main === undefined ? named : [{ name: 'default', template: main }, ...named]
}

const TEMPLATE = 'tokenizer.chat_template'
const REMEDY = 'Download the file again, or convert the model again.'

const replace = (text: string, content: string): ComponentJson => ({
  type: 'Replace',
  pattern: { String: text },
  content,
})

const sequence = (key: string, steps: ComponentJson[]): ComponentJson => ({
  type: 'Sequence',
  [key]: steps,
})
