import type { ComponentJson } from '../formats/tokenizer-json.ts'
import { type Aligned, mapCharacters, Rewriter } from './aligned.ts'
import { toByteChars } from './byte-level.ts'
import { readCharsMap } from './charsmap.ts'
import { compilePattern } from './patterns.ts'

/** What happens to a text before it is cut into words. */
export type Normalizer = (text: Aligned) => Aligned

/** The normaliser that `tokenizer.json` describes; each step as Python's `tokenizers` does it. */
export function makeNormalizer(config: ComponentJson | null): Normalizer | undefined {
  if (config === null) return undefined
  const make = Object.hasOwn(NORMALIZERS, config.type ?? '')
    ? NORMALIZERS[config.type as string]
    : undefined
  if (make) return make(config)
  throw new Error(`Unknown Normalizer type: ${config.type}`)
}

const NORMALIZERS: Record<string, (config: ComponentJson) => Normalizer> = {
  Sequence: ({ normalizers }) => {
    const steps = (normalizers as (ComponentJson | null)[]).map((step) => makeNormalizer(step))
    return (text) => steps.reduce((changed, step) => (step ? step(changed) : changed), text)
  },
  BertNormalizer: bertNormalizer,
  Lowercase: () => lowercase,
  StripAccents: () => (text) => mapWhere(MARK, text, () => ''),
  NFC: () => unicodeForm('NFC'),
  NFD: () => unicodeForm('NFD'),
  NFKC: () => unicodeForm('NFKC'),
  NFKD: () => unicodeForm('NFKD'),
  Nmt: () => (text) => mapCharacters(text, nmt),
  Precompiled: ({ precompiled_charsmap }) => readCharsMap(precompiled_charsmap),
  Prepend:
    ({ prepend }) =>
    (text) =>
      prependTo(text, String(prepend)),
  Replace: ({ pattern, content }) => {
    const regexp = compilePattern(pattern)
    return (text) => replaceMatches(text, regexp, String(content ?? ''))
  },
  Strip: ({ strip_left = true, strip_right = true }) => {
    return (text) => strip(text, strip_left === true, strip_right === true)
  },
  ByteLevel: () => (text) => mapCharacters(text, toByteChars),
}

/** Puts a text in front; it stands for the first character. */
export function prependTo(source: Aligned, prefix: string): Aligned {
  if (source.text === '') return source
  const rewriter = new Rewriter(source)
  rewriter.replace(0, lengthOfCharacter(source.text, 0), prefix)
  rewriter.keep(0, source.text.length)
  return rewriter.finish()
}

/** The content stands for the last character of what it replaces, as in Python. */
export function replaceMatches(source: Aligned, pattern: RegExp, content: string): Aligned {
  const { text } = source
  const rewriter = new Rewriter(source)
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

/** Character by character: a sigma at the end of a word is no special case. */
function lowercase(text: Aligned): Aligned {
  const lower = text.text.toLowerCase()
  if (lower.length === text.text.length && !SPECIAL_CASE.test(text.text)) return text.with(lower)
  return mapCharacters(text, (character) => character.toLowerCase())
}

const SPECIAL_CASE = /[\u03a3\u0130]/ // their lower case depends on the neighbours, or is longer

function bertNormalizer(config: ComponentJson): Normalizer {
  const { clean_text = true, handle_chinese_chars = true, lowercase: lower = true } = config
  const strips = config.strip_accents ?? lower
  const decompose = unicodeForm('NFD')
  return (text) => {
    let out = clean_text ? clean(text) : text
    if (handle_chinese_chars) out = mapWhere(IDEOGRAPH, out, (character) => ` ${character} `)
    if (strips) out = mapWhere(NONSPACING, decompose(out), () => '')
    return lower ? lowercase(out) : out
  }
}

/** Rewrites the characters that an expression matches; most texts have none of them. */
function mapWhere(where: RegExp, text: Aligned, map: (character: string) => string): Aligned {
  return where.test(text.text) ? mapCharacters(text, (c) => (where.test(c) ? map(c) : c)) : text
}

const NONSPACING = /\p{Mn}/u
const OTHER = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\ufffd]/u
const SPACE = /\p{White_Space}/u
const IDEOGRAPH =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b820}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/u

/** White space becomes spaces, unit by unit; control characters go. */
function clean(text: Aligned): Aligned {
  return mapWhere(OTHER, text.with(text.text.replaceAll(/[\t\n\r\p{Z}]/gu, ' ')), () => '')
}

/** The clean-up of Google's neural machine translation, which SentencePiece's older models have. */
function nmt(character: string): string {
  if (NMT_SPACE.test(character)) return ' '
  const code = character.charCodeAt(0)
  const kept = code === 0 || (code >= 0x80 && code !== 0x8f && code !== 0x9f)
  return !kept && CONTROL.test(character) ? '' : character
}

const CONTROL = /\p{Cc}/u
const NMT_SPACE = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/

/**
 * A character and those that may combine with it: marks, and the letters that make Korean
 * syllables or Japanese voiced kana, also in their narrow and compatible forms.
 */
const CLUSTER = /[\s\S][\p{M}\u1160-\u11ff\u3131-\u318e\uff9e\uff9f\uffa0-\uffdc]*/gu

function unicodeForm(form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): Normalizer {
  return (source) => {
    const { text } = source
    if (ASCII.test(text) || text.normalize(form) === text) return source
    const rewriter = new Rewriter(source)
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

function strip(source: Aligned, left: boolean, right: boolean): Aligned {
  const { text } = source
  let from = 0
  let to = text.length
  while (left && from < to && SPACE.test(text[from])) from++
  while (right && to > from && SPACE.test(text[to - 1])) to--
  const rewriter = new Rewriter(source)
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
