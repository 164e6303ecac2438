import { z } from 'zod'
import { type AlignedText, mapCharacters, TextRewriter } from './aligned-text.ts'
import { toByteChars } from './byte-level.ts'
import { readCharsMap } from './charsmap.ts'
import { registerTokenizerStep, tokenizerStep } from './register-step.ts'
import { flag, noSettings, text, tokenizerPattern } from './settings.ts'
import type { Normalizer } from './steps.ts'

// The normalisers of `tokenizer.json`, with the results of Python's `tokenizers`.

registerTokenizerStep('normalizer', 'Sequence', {
  schema: z.object({ normalizers: z.array(tokenizerStep('normalizer').nullable()) }),
  make: ({ normalizers }) => {
    const steps = normalizers.filter((step) => step !== null)
    return (source) => steps.reduce((changed, step) => step(changed), source)
  },
})

registerTokenizerStep('normalizer', 'BertNormalizer', {
  schema: z.object({
    clean_text: flag(true),
    handle_chinese_chars: flag(true),
    strip_accents: z.boolean().nullish(),
    lowercase: flag(true),
  }),
  make: (settings) => {
    const strips = settings.strip_accents ?? settings.lowercase
    const decompose = unicodeForm('NFD')
    return (source) => {
      let out = settings.clean_text ? clean(source) : source
      if (settings.handle_chinese_chars) out = mapWhere(IDEOGRAPH, out, (c) => ` ${c} `)
      if (strips) out = mapWhere(NONSPACING, decompose(out), () => '')
      return settings.lowercase ? lowercase(out) : out
    }
  },
})

registerTokenizerStep('normalizer', 'Lowercase', { schema: noSettings, make: () => lowercase })

registerTokenizerStep('normalizer', 'StripAccents', {
  schema: noSettings,
  make: () => (source) => mapWhere(MARK, source, () => ''),
})

for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'] as const)
  registerTokenizerStep('normalizer', form, { schema: noSettings, make: () => unicodeForm(form) })

registerTokenizerStep('normalizer', 'Nmt', {
  schema: noSettings,
  make: () => (source) => mapCharacters(source, nmt),
})

registerTokenizerStep('normalizer', 'Precompiled', {
  schema: z.object({ precompiled_charsmap: text('') }),
  make: ({ precompiled_charsmap }) => readCharsMap(precompiled_charsmap),
})

registerTokenizerStep('normalizer', 'Prepend', {
  schema: z.object({ prepend: z.string() }),
  make:
    ({ prepend }) =>
    (source) =>
      prependTo(source, prepend),
})

registerTokenizerStep('normalizer', 'Replace', {
  schema: z.object({ pattern: tokenizerPattern, content: text('') }),
  make:
    ({ pattern, content }) =>
    (source) =>
      replaceMatches(source, pattern, content),
})

registerTokenizerStep('normalizer', 'Strip', {
  schema: z.object({ strip_left: flag(true), strip_right: flag(true) }),
  make:
    ({ strip_left, strip_right }) =>
    (source) =>
      strip(source, strip_left, strip_right),
})

registerTokenizerStep('normalizer', 'ByteLevel', {
  schema: noSettings,
  make: () => (source) => mapCharacters(source, toByteChars),
})

/** Adds a prefix, which stands for the first character. */
export function prependTo(source: AlignedText, prefix: string): AlignedText {
  if (source.text === '') return source
  const rewriter = new TextRewriter(source)
  rewriter.replace(0, lengthOfCharacter(source.text, 0), prefix)
  rewriter.keep(0, source.text.length)
  return rewriter.finish()
}

/** The content stands for the last character of each match, as in Python. */
export function replaceMatches(source: AlignedText, pattern: RegExp, content: string): AlignedText {
  const { text } = source
  const rewriter = new TextRewriter(source)
  let at = 0
  for (const { 0: match, index } of text.matchAll(pattern)) {
    rewriter.keep(at, index)
    at = index + match.length
    rewriter.replace(lastCharacter(text, index, at), at, content)
  }
  if (at === 0) return source
  rewriter.keep(at, text.length)
  return rewriter.finish()
}

const MARK = /\p{M}/u
const ASCII = /^\p{ASCII}*$/u

/** By character: a sigma at the end of a word is not a special case. */
function lowercase(text: AlignedText): AlignedText {
  const lower = text.text.toLowerCase()
  if (lower.length === text.text.length && !SPECIAL_CASE.test(text.text)) return text.with(lower)
  return mapCharacters(text, (character) => character.toLowerCase())
}

const SPECIAL_CASE = /[\u03a3\u0130]/ // their lower case depends on the neighbours, or is longer

/** Rewrites the characters that an expression matches; most texts have none. */
function mapWhere(
  where: RegExp,
  text: AlignedText,
  map: (character: string) => string,
): AlignedText {
  return where.test(text.text) ? mapCharacters(text, (c) => (where.test(c) ? map(c) : c)) : text
}

const NONSPACING = /\p{Mn}/u
const OTHER = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\ufffd]/u
const SPACE = /\p{White_Space}/u
const IDEOGRAPH =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b820}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/u

/** White space becomes spaces, and control characters are removed. */
function clean(text: AlignedText): AlignedText {
  return mapWhere(OTHER, text.with(text.text.replaceAll(/[\t\n\r\p{Z}]/gu, ' ')), () => '')
}

/** The clean-up of Google's neural machine translation, in older models of SentencePiece. */
function nmt(character: string): string {
  if (NMT_SPACE.test(character)) return ' '
  const code = character.charCodeAt(0)
  const kept = code === 0 || (code >= 0x80 && code !== 0x8f && code !== 0x9f)
  return !kept && CONTROL.test(character) ? '' : character
}

const CONTROL = /\p{Cc}/u
const NMT_SPACE = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/

/**
 * A character and those that may combine with it: marks, and the letters that form Korean syllables or Japanese
 * voiced kana, with their halfwidth and compatibility forms.
 */
const CLUSTER = /[\s\S][\p{M}\u1160-\u11ff\u3131-\u318e\uff9e\uff9f\uffa0-\uffdc]*/gu

function unicodeForm(form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): Normalizer {
  return (source) => {
    const { text } = source
    if (ASCII.test(text) || text.normalize(form) === text) return source
    const rewriter = new TextRewriter(source)
    for (const { 0: cluster, index } of text.matchAll(CLUSTER)) {
      const normal = cluster.normalize(form)
      if (normal === cluster) rewriter.keep(index, index + cluster.length)
      else if (Array.from(cluster, (c) => c.normalize(form)).join('') === normal) {
        eachCharacter(cluster, (c, at) => {
          rewriter.replace(index + at, index + at + c.length, c.normalize(form))
        })
      } else rewriter.replace(index, index + cluster.length, normal)
    }
    return rewriter.finish()
  }
}

function strip(source: AlignedText, left: boolean, right: boolean): AlignedText {
  const { text } = source
  let from = 0
  let to = text.length
  while (left && from < to && SPACE.test(text[from])) from++
  while (right && to > from && SPACE.test(text[to - 1])) to--
  const rewriter = new TextRewriter(source)
  rewriter.keep(from, to)
  return rewriter.finish()
}

function eachCharacter(text: string, use: (character: string, at: number) => void): void {
  let at = 0
  for (const character of text) {
    use(character, at)
    at += character.length
  }
}

function lengthOfCharacter(text: string, at: number): number {
  return (text.codePointAt(at) as number) > 0xffff ? 2 : 1
}

function lastCharacter(text: string, from: number, to: number): number {
  return to - from > 1 && /[\udc00-\udfff]/.test(text[to - 1]) ? to - 2 : Math.max(from, to - 1)
}
