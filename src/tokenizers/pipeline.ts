import { Tokenizer as Engine, PreTokenizer } from '@huggingface/tokenizers'
import { GPT2_PATTERN, toByteChars } from './byte-level.ts'
import type { ComponentJson, TokenizerConfig, TokenizerJson } from './tokenizer-json.ts'

/** The library's tokenizer, made to give Python's ids and to look each word up only once. */
export function makeEngine(json: TokenizerJson, config: TokenizerConfig): Engine {
  const { steps, byteLevel } = splitSteps(json.pre_tokenizer)
  const engine = new Engine(
    { ...json, pre_tokenizer: steps && { type: 'Sequence', pretokenizers: steps } },
    { ...config, unk_token: json.model.unk_token ?? config.unk_token },
  )
  if (isCharLevel(json)) engine.pre_tokenizer = new Characters()
  rememberWords(engine, byteLevel ? toByteChars : (word) => word)
  return engine
}

/** Every token is one character, and none depends on its neighbours. */
function isCharLevel({ model, normalizer, pre_tokenizer }: TokenizerJson): boolean {
  return (
    model.type === 'BPE' &&
    (model.merges as unknown[]).length === 0 &&
    !model.end_of_word_suffix &&
    !normalizer &&
    !pre_tokenizer
  )
}

/** Whether text may be cut between a word and the white space after it without other ids. */
export function cutsAtSpaces(json: TokenizerJson): boolean {
  const { model, normalizer, pre_tokenizer, post_processor } = json
  const split = isPlainByteLevel(pre_tokenizer) && pre_tokenizer.use_regex !== false
  if (!split && !isCharLevel(json)) return false
  if (normalizer || model.fuse_unk) return false
  if (post_processor && post_processor.type !== 'ByteLevel') return false
  return (json.added_tokens ?? []).every(
    ({ content, lstrip, rstrip }) => !lstrip && !rstrip && !/\s/.test(content),
  )
}

/**
 * The pre-tokenizer as steps that the library runs as Python does, without a last change to byte
 * characters, which happens word by word.
 */
function splitSteps(config: ComponentJson | null): {
  steps: ComponentJson[] | null
  byteLevel: boolean
} {
  if (config === null) return { steps: null, byteLevel: false }
  const steps = flatten(config).flatMap(asPython)
  const last = steps.at(-1)
  if (!isPlainByteLevel(last) || last.use_regex !== false) return { steps, byteLevel: false }
  return { steps: steps.slice(0, -1), byteLevel: true }
}

function flatten(config: ComponentJson): ComponentJson[] {
  if (config.type !== 'Sequence' || !Array.isArray(config.pretokenizers)) return [config]
  return config.pretokenizers.flatMap(flatten)
}

/** Where the library differs from Python's: its `\s`, `\w` and `\d` are JavaScript's own. */
function asPython(config: ComponentJson): ComponentJson[] {
  if (config.type === 'ByteLevel' && config.use_regex !== false) {
    const bytes = { ...config, add_prefix_space: false, use_regex: false }
    const prefix = config.add_prefix_space === false ? [] : [ADD_PREFIX_SPACE]
    return [...prefix, keepMatches(GPT2_PATTERN), bytes]
  }
  if (config.type === 'Whitespace') return [keepMatches(`[${WORD}]+|[^${WORD}\\s]+`)]
  if (config.type === 'WhitespaceSplit') return [keepMatches('\\S+')]
  if (config.type === 'Digits') {
    const digits = config.individual_digits ? '\\p{N}' : '\\p{N}+'
    return [keepMatches(`${digits}|\\P{N}+`)]
  }
  if (config.type === 'Metaspace' && config.split !== false && config.replacement === '▁') {
    return [config, keepMatches('▁[^▁]*|[^▁]+')]
  }
  return [config]
}

const ADD_PREFIX_SPACE = { type: 'Metaspace', replacement: ' ', prepend_scheme: 'always' }
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200C\\u200D'

function keepMatches(pattern: string): ComponentJson {
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Removed', invert: true }
}

function isPlainByteLevel(config: ComponentJson | null | undefined): config is ComponentJson {
  return config?.type === 'ByteLevel' && config.add_prefix_space === false
}

class Characters extends PreTokenizer {
  override pre_tokenize_text(text: string): string[] {
    return Array.from(text)
  }
}

/** Models look at one word at a time, and few words make up most of a text. */
function rememberWords(engine: Engine, prepare: (word: string) => string): void {
  const { model } = engine
  if (!model) return
  const encodeSlowly = model.encode.bind(model)
  const known = new Map<string, string[]>()
  model.encode = (words) => {
    const out: string[] = []
    for (const word of words) {
      let tokens = known.get(word)
      if (!tokens) {
        tokens = encodeSlowly([prepare(word)])
        if (known.size >= MAX_WORDS) known.clear()
        if (word.length <= MAX_WORD_LENGTH) known.set(word, tokens)
      }
      for (const token of tokens) out.push(token)
    }
    return out
  }
}

const MAX_WORDS = 1 << 16
const MAX_WORD_LENGTH = 64
