// Joins the words of the Moses tokenizer to English text, like sacremoses 0.2.

import { z } from 'zod'
import { ESCAPES } from './moses.ts'
import { letter } from './moses-characters.ts'
import { streaming, wholePieces } from './piece-stream.ts'
import { registerTokenizerStep } from './register-step.ts'
import type { PieceSink } from './steps.ts'

registerTokenizerStep('decoder', 'Moses', {
  schema: z.object({ suffix: z.string().min(1).default('</w>') }),
  make: ({ suffix }) => streaming((next) => mosesText(next, suffix)),
})

/** Joins tokens to words, which end with `suffix`, and writes a word as soon as later tokens cannot change it. */
function mosesText(next: PieceSink, suffix: string): PieceSink {
  const write = detokenizer()
  let word = '' // without its suffix
  let ready: string | null = null // a whole word that a dash may join to the next one
  let afterDash = false

  const flush = (): void => {
    if (ready !== null) next.push(write(withoutEscapes(ready)), false)
    ready = null
  }
  const finishWord = (): void => {
    if (word === '') return
    if (afterDash) {
      ready = (ready ?? '') + word
      afterDash = false
    } else if (word === DASH) {
      ready = `${ready ?? ''}-`
      afterDash = true
    } else {
      flush()
      ready = word
    }
    word = ''
  }
  return wholePieces(
    next,
    (token) => {
      const [begun, ...others] = token.replaceAll(' ', '').split(suffix)
      word += begun
      for (const other of others) {
        finishWord()
        word = other
      }
      if (!afterDash && !DASH.startsWith(word)) flush()
    },
    () => {
      finishWord()
      flush()
      next.push('', true)
    },
  )
}

/** The word for a dash inside a word. */
const DASH = '@-@'

/** Returns a function that gives the next word of a text with the space before it, if it has one. */
function detokenizer(): (word: string) => string {
  const quotes = new Map<string, number>() // number of quotation marks so far
  let space = ''
  let last = '' // last word
  let lastWasEastAsian = false

  /** A mark that opens and closes: attached to the next word and to the previous word in turn. */
  const quote = (word: string): string => {
    const kind = /^[„“”]+$/.test(word) ? '"' : word
    const count = quotes.get(kind) ?? 0
    const isPossessive = count % 2 === 0 && word === "'" && last.endsWith('s')
    if (!isPossessive) quotes.set(kind, count + 1)
    const opens = count % 2 === 0 && !isPossessive
    const before = opens ? space : ''
    space = opens ? '' : ' '
    return before + word
  }
  const joined = (word: string): string => {
    const before = space
    space = ' '
    return before + word
  }
  const attached = (word: string): string => {
    space = ' '
    return word
  }
  const next = (word: string): string => {
    if (EAST_ASIAN.test(word)) return lastWasEastAsian ? attached(word) : joined(word)
    if (OPENING.test(word)) {
      const before = space
      space = ''
      return before + word
    }
    if (CLOSING.test(word)) return attached(word)
    if (last !== '' && CONTRACTION.test(word)) return attached(word)
    return QUOTE.test(word) ? quote(word) : joined(word)
  }
  return (word) => {
    const text = next(word)
    last = word
    lastWasEastAsian = LAST_EAST_ASIAN.test(word)
    return text
  }
}

/** Currency symbols, of Unicode 9, and opening brackets. */
const OPENING = /^(?:(?![\u07fe\u07ff\u20bf-\u20cf\u{10000}-\u{10ffff}])\p{Sc}|[([{¿¡])+$/u
const CLOSING = /^[,.?!:;\\%})\]]+$/
const CONTRACTION = new RegExp(`^'${letter}`, 'u')
const QUOTE = /^['"„“`]+$/

/** Characters of East Asian scripts, which have no spaces between words. */
const RANGES =
  '\\u1100-\\u11ff\\u2e80-\\ua4cf\\ua840-\\ua87f\\uac00-\\ud7af\\uf900-\\ufaff\\ufe30-\\ufe4f\\uff65-\\uffdc' +
  '\\u{17000}-\\u{18aff}\\u{1b000}-\\u{1b0ff}\\u{1b170}-\\u{1b2ff}\\u{20000}-\\u{2ffff}'
const EAST_ASIAN = new RegExp(`^[${RANGES}]`, 'u')
const LAST_EAST_ASIAN = new RegExp(`[${RANGES}]$`, 'u')

/** Older files have other names for three characters. */
const CHARACTERS: ReadonlyMap<string, string> = new Map([
  ...[...ESCAPES].map(([character, name]) => [name, character] as const),
  ['&bar;', '|'],
  ['&bra;', '['],
  ['&ket;', ']'],
])

/** `&amp;lt;` is `&lt;`: an escape is replaced once. */
const withoutEscapes = (word: string): string =>
  word.replaceAll(
    /&(?:amp|#124|lt|gt|apos|quot|#91|#93|bar|bra|ket);/g,
    (name) => CHARACTERS.get(name) ?? name,
  )
