import { Dict } from './dict.ts'
import { isText, rawText, type Value } from './objects.ts'
import { replaceCharacters } from './replace-characters.ts'
import { toText } from './repr.ts'
import { unpacked } from './scope.ts'
import { isIterable, iterate } from './sequences.ts'

/** The filter `urlencode`: encodes a text for a path, or pairs for a query string. */
export function urlencode(value: Value): string {
  if (isText(value)) return quote(rawText(value), '/')
  if (!isIterable(value)) return quote(toText(value), '/')
  const pairs = value instanceof Dict ? value.entries() : Array.from(iterate(value), pairOf)
  return Array.from(pairs, ([key, item]) => `${queryText(key)}=${queryText(item)}`).join('&')
}

const queryText = (value: Value): string => quote(toText(value), '').replaceAll('%20', '+')

function pairOf(value: Value): [Value, Value] {
  const [key, item] = unpacked(value, 2)
  return [key, item]
}

function quote(text: string, safe: string): string {
  return replaceCharacters(text, /[^\w.~-]/gu, (character) => {
    if (safe.includes(character)) return character
    const bytes = Array.from(new TextEncoder().encode(character))
    return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
  })
}
