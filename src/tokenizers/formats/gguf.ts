// Converts the tokenizer in the metadata of a GGUF file to the two files of Hugging Face.
import type { GGUFMetadata } from '../../io/gguf/gguf.ts'
import { openGGUF } from '../../io/gguf/gguf.ts'
import { alternatives, HeedError, shown } from '../../util/errors.ts'
import { around, type TokenAndId } from './around.ts'
import { KINDS, REMEDY, tokenNamed, type Vocabulary } from './gguf-kinds.ts'
import { CONTROL, UNKNOWN, USER_DEFINED } from './sentencepiece-model.ts'
import type {
  AddedTokenJson,
  ComponentJson,
  TokenizerConfig,
  TokenizerJson,
} from './tokenizer-json.ts'

/** Arguments of `Tokenizer.fromJSON`. The config includes the chat template. */
export interface TokenizerFiles {
  json: TokenizerJson
  config: TokenizerConfig
}

/** Reads the tokenizer of a GGUF file. @throws HeedError if it is missing, damaged or of an unknown kind */
export async function readGGUFTokenizer(path: string): Promise<TokenizerFiles> {
  const file = await openGGUF(path)
  try {
    return tokenizerOf(file.metadata, path)
  } finally {
    await file.close()
  }
}

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
  const { addsBos, addsEos = false, model: settings, ...steps } = kind(vocabulary)
  const json: TokenizerJson = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    post_processor: postProcessor(vocabulary, { addsBos, addsEos }),
    ...steps,
    model: {
      type: 'BPE',
      dropout: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), // also for `__proto__`
      ...settings,
    },
  }
  return { json, config: configOf(vocabulary) }
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

/** Special and user-defined tokens, which are extracted from a text before the other steps. */
const addedTokens = ({ tokens, types }: Vocabulary): AddedTokenJson[] =>
  tokens.flatMap((content, id) => {
    const special = types[id] === CONTROL || types[id] === UNKNOWN
    if (content === '' || !(special || types[id] === USER_DEFINED)) return []
    const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false }
    return [{ id, content, ...plain, special }]
  })

/** The post-processor that adds tokens around a text. */
function postProcessor(
  vocabulary: Vocabulary,
  { addsBos, addsEos }: { addsBos: boolean; addsEos: boolean },
): ComponentJson | null {
  const { metadata } = vocabulary
  const token = (name: string, byDefault: boolean): TokenAndId | undefined => {
    const adds = metadata.bool(`tokenizer.ggml.add_${name}_token`, byDefault)
    const content = adds ? tokenNamed(vocabulary, name) : undefined
    return content === undefined ? undefined : [content, vocabulary.tokens.indexOf(content)]
  }
  return around(token('bos', addsBos), token('eos', addsEos))
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
    sep_token: tokenNamed(vocabulary, 'seperator'),
    cls_token: tokenNamed(vocabulary, 'cls'),
    mask_token: tokenNamed(vocabulary, 'mask'),
    clean_up_tokenization_spaces: false,
    chat_template: chatTemplates(metadata),
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

/** The chat template, or a list of named templates if there are several. */
function chatTemplates(metadata: GGUFMetadata): unknown {
  const main = metadata.string(TEMPLATE, undefined)
  const named = [...metadata.entries.keys()]
    .filter((key) => key.startsWith(`${TEMPLATE}.`))
    .map((key) => ({ name: key.slice(TEMPLATE.length + 1), template: metadata.string(key) }))
  if (named.length === 0) return main
  return main === undefined ? named : [{ name: 'default', template: main }, ...named]
}

const TEMPLATE = 'tokenizer.chat_template'
