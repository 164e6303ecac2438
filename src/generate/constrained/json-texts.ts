import { either, type Fragment, literal, repeated, sequence } from './automaton.ts'
import { complement, includes, oneOf, type Ranges, without } from './characters.ts'
import { regexFragment } from './regex.ts'

/** Integers with at most the 15 digits that a double represents exactly. */
export const jsonInteger = regexFragment('-?(0|[1-9][0-9]{0,14})')

export const jsonNumber = regexFragment(
  '-?(0|[1-9][0-9]{0,14})(\\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?',
)

const CONTROLS: Ranges = [[0, 0x1f]]
const QUOTE_AND_BACKSLASH: Ranges = [[0x22, 0x22], [0x5c, 0x5c]] // biome-ignore format: one line
const ESCAPES: Record<string, string> = { '"': '\\"', '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' } // biome-ignore format: one line
const ANY = complement([])

/** Matches one character of a set in a JSON string, escaped if necessary. */
export function jsonCharacter(ranges: Ranges = ANY): Fragment {
  const plain = oneOf(without(ranges, [...CONTROLS, ...QUOTE_AND_BACKSLASH]))
  const escaped = Object.keys(ESCAPES).filter((character) => includes(ranges, character))
  return either(plain, ...escaped.map((character) => literal(ESCAPES[character])))
}

export const jsonString = sequence(
  literal('"'),
  repeated(jsonCharacter(), 0, Number.POSITIVE_INFINITY),
  literal('"'),
)
