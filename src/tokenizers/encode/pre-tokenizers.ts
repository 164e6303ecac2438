import type { ComponentJson } from '../formats/tokenizer-json.ts'
import { type Aligned, mapCharacters } from './aligned.ts'
import { GPT2_SPLIT, toByteChars } from './byte-level.ts'
import { prependTo, replaceMatches } from './normalizers.ts'
import { compilePattern } from './patterns.ts'

/** Cuts a text into words, and may write them otherwise. */
export type PreTokenizer = (text: Aligned) => Aligned[]

/** The steps that `tokenizer.json` describes; each as Python's `tokenizers` does it. */
export function makePreTokenizer(config: ComponentJson): PreTokenizer {
  const make = Object.hasOwn(PRE_TOKENIZERS, config.type ?? '')
    ? PRE_TOKENIZERS[config.type as string]
    : undefined
  if (make) return make(config)
  throw new Error(`Unknown PreTokenizer type: ${config.type}`)
}

const PRE_TOKENIZERS: Record<string, (config: ComponentJson) => PreTokenizer> = {
  Sequence: ({ pretokenizers }) => {
    const steps = (pretokenizers as ComponentJson[]).map(makePreTokenizer)
    return (text) => steps.reduce((words, step) => words.flatMap(step), [text])
  },
  ByteLevel: byteLevel,
  PrefixSpace: () => (text) => [prefixSpace(text)], // the first two of ByteLevel's three steps
  Gpt2Split: () => splitter(GPT2_SPLIT, 'isolated'),
  Metaspace: metaspace,
  Split: ({ pattern, behavior, invert }) => {
    return splitter(compilePattern(pattern), behaviorNamed(behavior), invert === true)
  },
  Punctuation: ({ behavior }) => splitter(PUNCTUATION, behaviorNamed(behavior ?? 'Isolated')),
  Digits: ({ individual_digits }) => {
    return splitter(/\p{N}/gu, individual_digits ? 'isolated' : 'contiguous')
  },
  Whitespace: () => splitter(WORDS_AND_SIGNS, 'removed', true),
  WhitespaceSplit: () => splitter(/\p{White_Space}/gu, 'removed'),
  BertPreTokenizer: () => splitter(BERT_WORDS, 'removed', true),
  CharDelimiterSplit: ({ delimiter }) => {
    return splitter(compilePattern({ String: String(delimiter) }), 'removed')
  },
  FixedLength: ({ length }) => fixedLength(Number(length)),
}

const PUNCTUATION = /[\p{P}!-/:-@[-`{-~]/gu
const BERT_WORDS = /[^\p{White_Space}\p{P}!-/:-@[-`{-~]+|[\p{P}!-/:-@[-`{-~]/gu
const WORDS_AND_SIGNS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu

function byteLevel({ add_prefix_space, use_regex }: ComponentJson): PreTokenizer {
  const split = use_regex === false ? undefined : splitter(GPT2_SPLIT, 'isolated')
  return (text) => {
    const whole = add_prefix_space === false ? text : prefixSpace(text)
    const words = split ? split(whole) : [whole]
    return words.map((word) => mapCharacters(word, toByteChars))
  }
}

function prefixSpace(text: Aligned): Aligned {
  return text.text.startsWith(' ') ? text : prependTo(text, ' ')
}

/** Spaces become a visible character, which belongs to the word after it (SentencePiece). */
function metaspace(config: ComponentJson): PreTokenizer {
  const { replacement = '▁', add_prefix_space, split } = config
  const mark = String(replacement)
  const scheme = config.prepend_scheme ?? (add_prefix_space === false ? 'never' : 'always')
  const cut = splitter(compilePattern({ String: mark }), 'mergedwithnext')
  return (text) => {
    let out = mark.length === 1 ? text.with(text.text.replaceAll(' ', mark)) : text
    if (mark.length !== 1) out = replaceMatches(text, / /g, mark)
    const wanted = scheme === 'always' || (scheme === 'first' && text.base === 0)
    if (wanted && !out.text.startsWith(mark)) out = prependTo(out, mark)
    return split === false ? [out] : cut(out)
  }
}

function fixedLength(length: number): PreTokenizer {
  if (!(length >= 1)) throw new Error(`FixedLength has length ${length}`)
  return splitter(new RegExp(`[\\s\\S]{1,${Math.floor(length)}}`, 'gu'), 'isolated')
}

type Behavior = 'removed' | 'isolated' | 'mergedwithprevious' | 'mergedwithnext' | 'contiguous'

const BEHAVIORS = ['removed', 'isolated', 'mergedwithprevious', 'mergedwithnext', 'contiguous']

function behaviorNamed(name: unknown): Behavior {
  const known = String(name).toLowerCase()
  if (BEHAVIORS.includes(known)) return known as Behavior
  throw new Error(`Unknown split behavior: ${String(name)}`)
}

/** Cuts where a pattern matches; `invert` takes what it does not match as the match. */
function splitter(pattern: RegExp, behavior: Behavior, invert = false): PreTokenizer {
  if (behavior === 'isolated') return (text) => isolate(text, pattern)
  if (behavior === 'removed') return (text) => pick(text, parts(text.text, pattern), invert)
  return (text) => {
    const joined = join(parts(text.text, pattern), behavior, invert)
    return joined.map(({ from, to }) => text.slice(from, to))
  }
}

interface Part {
  from: number
  to: number
  match: boolean
}

/** Most patterns match all of a text, word after word. */
function isolate(text: Aligned, pattern: RegExp): Aligned[] {
  const words = text.text.match(pattern) ?? []
  if (words.reduce((length, word) => length + word.length, 0) !== text.text.length) {
    return parts(text.text, pattern).map(({ from, to }) => text.slice(from, to))
  }
  const out: Aligned[] = []
  let at = 0
  for (const word of words) {
    if (word.length > 0) out.push(text.slice(at, at + word.length, word))
    at += word.length
  }
  return out
}

function pick(text: Aligned, all: Part[], match: boolean): Aligned[] {
  const out: Aligned[] = []
  for (const part of all) if (part.match === match) out.push(text.slice(part.from, part.to))
  return out
}

function parts(text: string, pattern: RegExp): Part[] {
  const out: Part[] = []
  let at = 0
  for (const { 0: match, index } of text.matchAll(pattern)) {
    if (index > at) out.push({ from: at, to: index, match: false })
    at = index + match.length
    if (match.length > 0) out.push({ from: index, to: at, match: true })
  }
  if (at < text.length) out.push({ from: at, to: text.length, match: false })
  return out
}

function join(all: Part[], behavior: Behavior, invert: boolean): Part[] {
  const backwards = behavior === 'mergedwithnext'
  const out: Part[] = []
  let previous = false
  for (const part of backwards ? all.reverse() : all) {
    const match = part.match !== invert
    const last = out.at(-1)
    const joins = behavior === 'contiguous' ? match === previous : match && !previous
    if (!last || !joins) out.push({ ...part })
    else if (backwards) last.from = part.from
    else last.to = part.to
    previous = match
  }
  return backwards ? out.reverse() : out
}
