import { type Change, rewrite } from './aligned-text.ts'
import type { Normalizer } from './steps.ts'
import { isAfterUnicode9 } from './unicode-version.ts'

export type UnicodeForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD'

/**
 * Unicode normalisation (UAX 15) that tracks the source of each character like Python's `tokenizers`: the first
 * character of a decomposition has the source of the original character; a composed character has the source of its
 * first component.
 */
export function unicodeForm(form: UnicodeForm): Normalizer {
  const decomposed = form === 'NFC' || form === 'NFD' ? 'NFD' : 'NFKD'
  const composes = form === 'NFC' || form === 'NFKC'
  return (source) => {
    const { text } = source
    if (ASCII.test(text) || text.normalize(form) === text) return source
    return rewrite(source, changesOf(text, { form, decomposed, composes }))
  }
}

const ASCII = /^\p{ASCII}*$/u

/**
 * A character and those that may combine with it: marks, and letters of Korean syllables or Japanese voiced kana, with
 * their halfwidth and compatibility forms.
 */
const CLUSTER = /[\s\S][\p{M}\u1160-\u11ff\u3131-\u318e\uff9e\uff9f\uffa0-\uffdc]*/gu

interface Forms {
  form: UnicodeForm
  decomposed: 'NFD' | 'NFKD'
  composes: boolean
}

function* changesOf(text: string, { form, decomposed, composes }: Forms): Generator<Change> {
  for (const [cluster] of text.matchAll(CLUSTER)) {
    if (cluster.normalize(form) === cluster) for (const character of cluster) yield [character, 0]
    else {
      const characters = decompose(cluster, decomposed)
      yield* composes ? compose(characters) : characters
    }
  }
}

/** Decomposes characters and sorts marks in canonical order. */
function decompose(text: string, form: 'NFD' | 'NFKD'): Change[] {
  const out: Change[] = []
  let marks = 0 // start of the characters that may still be reordered
  const push = (character: string, change: number): void => {
    if (!isMark(character)) marks = out.length + 1
    let at = out.length
    while (at > marks && swaps(out[at - 1][0], character)) at--
    out.splice(at, 0, [character, change])
  }
  for (const character of text) {
    const whole = isAfterUnicode9(character) ? character : character.normalize(form)
    let change = 0
    for (const each of whole) {
      push(each, change)
      change = 1
    }
  }
  return out
}

/** Composes each character with the marks after it, unless a mark of the same class is between them. */
function* compose(characters: readonly Change[]): Generator<Change> {
  let starter: Change | undefined
  let between: Change[] = [] // marks after the starter that are not composed
  for (const [character, change] of characters) {
    const blocked = between.length > 0 && !isAfter(character, between[between.length - 1][0])
    const joined: string | undefined =
      starter && !blocked ? joinedOf(starter[0], character) : undefined
    if (starter && joined !== undefined) starter = [joined, starter[1] + change - 1]
    else if (isMark(character)) {
      if (starter) between.push([character, change])
      else yield [character, change]
    } else {
      if (starter) yield starter
      yield* between
      between = []
      starter = [character, change]
    }
  }
  if (starter) yield starter
  yield* between
}

/** The composition of two characters, if there is one. */
function joinedOf(first: string, second: string): string | undefined {
  const joined = (first + second).normalize('NFC')
  const single = joined.length === ((joined.codePointAt(0) as number) > 0xffff ? 2 : 1)
  return single && !isAfterUnicode9(joined) ? joined : undefined
}

// JavaScript has no table of combining classes, but canonical ordering shows which of two is higher.

/** Whether the combining class of a character is not 0. U+0345 has the highest. */
function isMark(character: string): boolean {
  if (character < '\u0300' || isAfterUnicode9(character)) return false
  return character === HIGHEST || swaps(HIGHEST, character)
}

const HIGHEST = '\u0345'

/** Whether canonical ordering swaps two characters: the class of the second is lower, but not 0. */
function swaps(first: string, second: string): boolean {
  if (first === second || isAfterUnicode9(first) || isAfterUnicode9(second)) return false
  return (first + second).normalize('NFD') === second + first
}

/** Whether the combining class of a mark is higher than that of the previous mark. */
function isAfter(mark: string, before: string): boolean {
  return isMark(mark) && swaps(mark, before)
}
