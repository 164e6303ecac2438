// The tokenizer in the metadata of a GGUF file, as Hugging Face's two files describe it.
import type { GGUFMetadata } from '../../io/gguf/gguf.ts'
import { openGGUF } from '../../io/gguf/gguf.ts'
import { HeedError } from '../../util/errors.ts'
import { mergesOfScores } from './gguf-merges.ts'
import { preTokenizerNamed } from './gguf-pre-tokenizers.ts'
import type {
  AddedTokenJson,
  ComponentJson,
  TokenizerConfig,
  TokenizerJson,
} from './tokenizer-json.ts'

/** What `Tokenizer.fromJSON` takes, with the chat template. */
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
  /** What kind each token is, as below. */
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
    throw new HeedError('corrupt-file', `${path} holds no tokenizer`, {
      remedy: 'Give the tokenizer.json of the model that it was made from.',
    })
  const types = metadata.numbers('tokenizer.ggml.token_type') ?? tokens.map(() => 1)
  const vocabulary = { metadata, path, tokens, types }
  checkVocabulary(vocabulary)
  const kind = Object.hasOwn(KINDS, model) ? KINDS[model] : undefined
  if (kind === undefined)
    throw new HeedError(
      'corrupt-file',
      `${path}: its tokenizer is of the kind ${JSON.stringify(model)}`,
      {
        remedy: `Known kinds: ${Object.keys(KINDS).join(', ')}.`,
      },
    )
  const parts = kind(vocabulary)
  const json: TokenizerJson = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    post_processor: postProcessor(vocabulary, parts.addsBos),
    normalizer: parts.normalizer,
    pre_tokenizer: parts.pre_tokenizer,
    decoder: parts.decoder,
    model: {
      type: 'BPE',
      dropout: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      ...parts.model,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), // also for `__proto__`
    },
  }
  return { json, config: configOf(vocabulary) }
}

interface Parts {
  normalizer: ComponentJson | null
  pre_tokenizer: ComponentJson | null
  decoder: ComponentJson
  model: ComponentJson
  /** Where the file does not say whether texts begin with a token of their own. */
  addsBos: boolean
}

/** By `tokenizer.ggml.model`: byte-level BPE, and SentencePiece's BPE. */
const KINDS: Record<string, (vocabulary: Vocabulary) => Parts> = {
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
        `${path}: its vocabulary has ${tokens.length} tokens and ${scores?.length ?? 'no'} scores`,
      )
    const prefixed = metadata.bool('tokenizer.ggml.add_space_prefix', true)
    const written = (id: number): boolean => ![UNKNOWN, CONTROL, BYTE].includes(types[id])
    const steps = [replace(' ', '▁')]
    const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 }
    return {
      normalizer: sequence(
        'normalizers',
        prefixed ? [{ type: 'Prepend', prepend: '▁' }, ...steps] : steps,
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
      `${path}: its vocabulary has ${tokens.length} tokens and ${types.length} types`,
    )
  const seen = new Set<string>()
  const twice = tokens.find((token) => seen.size === seen.add(token).size)
  if (twice !== undefined)
    throw new HeedError(
      'corrupt-file',
      `${path}: its vocabulary has ${JSON.stringify(twice)} twice`,
    )
}

/** What is found in a text before all else: special tokens, and words that the makers added. */
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
  const before = metadata.bool('tokenizer.ggml.add_bos_token', addsBos) ? ['bos'] : []
  const after = metadata.bool('tokenizer.ggml.add_eos_token', false) ? ['eos'] : []
  const known = (names: string[]): string[] =>
    names.map((name) => tokenNamed(vocabulary, name)).filter((token) => token !== undefined)
  const [first, last] = [known(before), known(after)]
  if (first.length + last.length === 0) return null
  const around = (id: 'A' | 'B', type_id: number): unknown[] => [
    ...first.map((token) => ({ SpecialToken: { id: token, type_id } })),
    { Sequence: { id, type_id } },
    ...last.map((token) => ({ SpecialToken: { id: token, type_id } })),
  ]
  const specialToken = (token: string): [string, unknown] => [
    token,
    { id: token, ids: [vocabulary.tokens.indexOf(token)], tokens: [token] },
  ]
  return {
    type: 'TemplateProcessing',
    single: around('A', 0),
    pair: [...around('A', 0), ...around('B', 1)],
    special_tokens: Object.fromEntries([...first, ...last].map(specialToken)),
  }
}

/** `tokenizer.ggml.bos_token_id` as text; undefined when there is none. */
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

/** The template, or a list of them by name where there are several. */
function chatTemplates(metadata: GGUFMetadata): unknown {
  const main = metadata.string(TEMPLATE, undefined)
  const named = [...metadata.entries.keys()]
    .filter((key) => key.startsWith(`${TEMPLATE}.`))
    .map((key) => ({ name: key.slice(TEMPLATE.length + 1), template: metadata.string(key) }))
  if (named.length === 0) return main
  return main === undefined ? named : [{ name: 'default', template: main }, ...named]
}

const TEMPLATE = 'tokenizer.chat_template'

const replace = (text: string, content: string): ComponentJson => ({
  type: 'Replace',
  pattern: { String: text },
  content,
})

const sequence = (key: string, steps: ComponentJson[]): ComponentJson => ({
  type: 'Sequence',
  [key]: steps,
})
