import { z } from 'zod'
import { type AlignedText, mapCharacters, nextCharacter, TextRewriter } from './aligned-text.ts'
import { toByteChars } from './byte-level.ts'
import { readCharsMap } from './charsmap.ts'
import { matchesOf } from './matches.ts'
import { registerTokenizerStep, tokenizerStep } from './register-step.ts'
import { flag, noSettings, text, tokenizerPattern } from './settings.ts'
import { CONTROL, MARK, NONSPACING } from './unicode-classes.ts'
import { unicodeForm } from './unicode-forms.ts'
import { isAfterUnicode9 } from './unicode-version.ts'

// Normalisers of `tokenizer.json`, with the results of Python's `tokenizers`.

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
      if (strips) out = mapWhere(NONSPACING, decompose(out), removed)
      return settings.lowercase ? lowercase(out) : out
    }
  },
})

registerTokenizerStep('normalizer', 'Lowercase', { schema: noSettings, make: () => lowercase })

registerTokenizerStep('normalizer', 'StripAccents', {
  schema: noSettings,
  make: () => (source) => mapWhere(MARK, source, removed),
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

/** Adds a prefix, which gets the position of the first character. */
export function prependTo(source: AlignedText, prefix: string): AlignedText {
  if (source.text === '') return source
  const rewriter = new TextRewriter(source)
  rewriter.replace(0, nextCharacter(source.text, 0), prefix)
  rewriter.keep(0, source.text.length)
  return rewriter.finish()
}

/** Replaces matches. As in Python, the content gets the position of the last character of the match. */
export function replaceMatches(source: AlignedText, pattern: RegExp, content: string): AlignedText {
  const { text } = source
  const rewriter = new TextRewriter(source)
  let at = 0
  for (const { index, end } of matchesOf(text, pattern)) {
    rewriter.keep(at, index)
    rewriter.insert(end, content)
    at = end
  }
  rewriter.keep(at, text.length)
  return rewriter.finish()
}

/** Lowercases each character separately, so a sigma at the end of a word is not a special case. */
function lowercase(text: AlignedText): AlignedText {
  const lower = text.text.toLowerCase()
  if (lower.length === text.text.length && !SPECIAL_CASE.test(text.text)) return text.with(lower)
  return mapCharacters(text, (character) => character.toLowerCase())
}

const SPECIAL_CASE = /[\u03a3\u0130]/ // their lower case depends on the context, or is longer

/** Removes a character. As in Python, characters newer than Unicode 9 are kept. */
const removed = (character: string): string => (isAfterUnicode9(character) ? character : '')

/** Maps the characters that an expression matches. Most texts have none. */
function mapWhere(
  where: RegExp,
  text: AlignedText,
  map: (character: string) => string,
): AlignedText {
  return where.test(text.text) ? mapCharacters(text, (c) => (where.test(c) ? map(c) : c)) : text
}

const SPACE = /\p{White_Space}/u
const IDEOGRAPH =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/u

/** Converts white space to spaces and removes control characters. */
function clean(text: AlignedText): AlignedText {
  return mapWhere(CONTROL, text.with(text.text.replaceAll(/[\t\n\r\p{Z}]/gu, ' ')), () => '')
}

/** Clean-up of Google's neural machine translation, used by older SentencePiece models. */
function nmt(character: string): string {
  if (NMT_SPACE.test(character)) return ' '
  const code = character.charCodeAt(0)
  const kept = code === 0 || (code >= 0x80 && code !== 0x8f && code !== 0x9f)
  return !kept && /\p{Cc}/u.test(character) ? '' : character
}

const NMT_SPACE = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/

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
