// Splits English text into words like the tokenizer of Moses (Koehn et al., 2007), in the form that BioGPT uses:
// sacremoses 0.2 with aggressive dashes and escaped words. Rules add spaces around characters; words are what is between
// spaces.
import { type AlignedText, mapCharacters, TextRewriter } from './aligned-text.ts'
import { alphanumeric, letter, lowercase, noLetter, numeric } from './moses-characters.ts'
import { replaceMatches } from './normalizers.ts'
import { registerTokenizerStep } from './register-step.ts'
import { noSettings } from './settings.ts'
import { splitter } from './splitter.ts'

registerTokenizerStep('pre_tokenizer', 'Moses', { schema: noSettings, make: () => mosesWords })

/** Splits a text into words and escapes them: `a-b <c>` has the words `a`, `@-@`, `b`, `&lt;`, `c` and `&gt;`. */
function mosesWords(source: AlignedText): AlignedText[] {
  const text = RULES.reduce(applyRule, trimmed(withPlainSpaces(source)))
  const words = splitAtSpaces(text).flatMap((word, i, all) => withFullStop(word, all[i + 1]?.text))
  return [...words.slice(0, -1), ...words.slice(-1).flatMap(withLastQuote)].map(escaped)
}

/** Adds a space before a mark, and after it unless `after` is false. */
interface Rule {
  /** Its groups are the text before the mark, the mark, and the text after it. Only the mark changes. */
  readonly pattern: RegExp
  readonly after?: boolean
  /** Replaces the mark. */
  readonly mark?: string
}

const rule = (pattern: string, options: Omit<Rule, 'pattern'> = {}): Rule => ({
  pattern: new RegExp(pattern, 'gu'),
  ...options,
})

/** The rules in order. A match consumes the text around its mark, so that of `a,,5` the second comma is kept. */
const RULES: readonly Rule[] = [
  rule(`()([^${alphanumeric} .'\`,\\-])()`),
  rule(`(?<=[${alphanumeric}])()(-)()(?=[${alphanumeric}])`, { mark: '@-@' }),
  rule('()(\\.{2,})()'),
  // Commas, except between numbers
  rule(`([^${numeric}])(,)()`),
  rule(`()(,)([^${numeric}])`),
  rule(`([${numeric}])(,)()$`),
  // Apostrophes: of contractions, they begin a word
  rule(`(${noLetter})(')(${noLetter})`),
  rule(`((?![${numeric}])${noLetter})(')(${letter})`),
  rule(`(${letter})(')(${noLetter})`),
  rule(`(${letter})(')(${letter})`, { after: false }),
  rule(`([${numeric}])(')(s)`, { after: false }),
]

function applyRule(source: AlignedText, { pattern, after = true, mark }: Rule): AlignedText {
  const matches = [...source.text.matchAll(pattern)]
  if (matches.length === 0) return source
  const rewriter = new TextRewriter(source)
  let at = 0
  for (const { 1: before, 2: found, index } of matches) {
    const from = index + before.length
    const to = from + found.length
    rewriter.keep(at, from)
    rewriter.insert(from, ' ')
    if (mark === undefined) rewriter.keep(from, to)
    else rewriter.replace(from, to, mark)
    if (after) rewriter.insert(to, ' ')
    at = to
  }
  rewriter.keep(at, source.text.length)
  return rewriter.finish()
}

/** Joins white space to single spaces and removes control characters. */
function withPlainSpaces(source: AlignedText): AlignedText {
  const text = UNUSUAL_SPACE.test(source.text) ? replaceMatches(source, WHITE_SPACES, ' ') : source
  return mapCharacters(text, (character) => (character < ' ' ? '' : character))
}

/** White space of Python, which includes four control characters. */
const SPACE = '[\\p{White_Space}\\u001c-\\u001f]'
const WHITE_SPACES = new RegExp(`${SPACE}+`, 'gu')
const UNUSUAL_SPACE = new RegExp(`${SPACE}{2}|(?! )${SPACE}`, 'u')

function trimmed(source: AlignedText): AlignedText {
  const { text } = source
  let [start, end] = [0, text.length]
  while (start < end && text[start] === ' ') start++
  while (start < end && text[end - 1] === ' ') end--
  return source.slice(start, end)
}

const splitAtSpaces = splitter(/ /g, 'removed')

/** Splits off the full stop of a word, unless it belongs to an abbreviation or does not end a sentence. */
function withFullStop(word: AlignedText, next: string | undefined): AlignedText[] {
  const { text } = word
  const stem = text.slice(0, -1)
  if (!text.endsWith('.') || stem === '' || stem.endsWith('.')) return [word]
  const isKept =
    (stem.includes('.') && LETTER.test(stem)) ||
    ABBREVIATIONS.has(stem) ||
    (next !== undefined && LOWERCASE.test(next)) ||
    (BEFORE_NUMBERS.has(stem) && next !== undefined && /^[0-9]/.test(next))
  return isKept ? [word] : [word.slice(0, stem.length), word.slice(stem.length, text.length)]
}

const LETTER = new RegExp(letter, 'u')
const LOWERCASE = new RegExp(`^[${lowercase}]`, 'u')

/** English abbreviations of Moses that end with a full stop. */
const ABBREVIATIONS: ReadonlySet<string> = new Set([
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  ...['v', 'vs', 'i.e', 'e.g', 'rev', 'Nos', 'Nr', 'Ph', 'Op', 'Ord', 'Con', 'Corp', 'Bros'],
  ...['Mr', 'Mrs', 'Ms', 'Mme', 'Mlle', 'Messrs', 'MM', 'MR', 'MRS', 'MS', 'Dr', 'DR', 'Drs', 'Sr'],
  ...['Adj', 'Adm', 'Adv', 'Asst', 'Bart', 'Bldg', 'Brig', 'Capt', 'Cmdr', 'Col', 'Comdr', 'Cpl'],
  ...['Ens', 'Gen', 'Gov', 'Hon', 'Hr', 'Hosp', 'Insp', 'Lt', 'Maj', 'Msgr', 'Pfc', 'Prof', 'Pvt'],
  ...['Rep', 'Reps', 'Res', 'Rev', 'Rs', 'Rt', 'Sen', 'Sens', 'Sfc', 'Sgt', 'St', 'Supt', 'Surg'],
  ...['Jan', 'Feb', 'Mar', 'Apr', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'],
])

/** Abbreviations only before a number. */
const BEFORE_NUMBERS: ReadonlySet<string> = new Set(['No', 'Art', 'pp'])

/** Splits a full stop and an apostrophe off the last word of a text. */
function withLastQuote(word: AlignedText): AlignedText[] {
  const { length } = word.text
  if (!word.text.endsWith(".'")) return [word]
  const stem = length > 2 ? [word.slice(0, length - 2)] : []
  return [...stem, word.slice(length - 2, length - 1), word.slice(length - 1, length)]
}

/** Replaces characters that have a meaning in the files of Moses. */
const escaped = (word: AlignedText): AlignedText =>
  mapCharacters(word, (character) => ESCAPES.get(character) ?? character)

/** Escapes of characters in words. */
export const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['|', '&#124;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ["'", '&apos;'],
  ['"', '&quot;'],
  ['[', '&#91;'],
  [']', '&#93;'],
])
