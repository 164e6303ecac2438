import { isJsonObject, type JsonValue } from '../../io/files/json-parse.ts'
import type { Fail } from './check-json.ts'

/**
 * Refuses regular expressions that can take exponential time: an unbounded repeat around another
 * one or around a choice, as in `(a+)+` or `(a|aa)*`. No published tokenizer needs either. What
 * remains is polynomial in the text.
 */
export function checkPatterns(json: JsonValue, fail: Fail): void {
  forEachPattern(json, (pattern) => {
    const shown = JSON.stringify(pattern.slice(0, 60))
    if (pattern.length > MAX_LENGTH)
      fail(`the pattern ${shown}... is ${pattern.length} characters long`)
    if (repeatsRepeats(pattern)) fail(`the pattern ${shown} can take for ever`)
  })
}

const MAX_LENGTH = 20_000
const UNBOUNDED = /^(?:[*+]|\{[0-9]*,\})/

function forEachPattern(value: JsonValue, use: (pattern: string) => void): void {
  if (Array.isArray(value)) for (const item of value) forEachPattern(item, use)
  if (!isJsonObject(value)) return
  for (const [key, child] of Object.entries(value)) {
    if (key === 'Regex' && typeof child === 'string') use(child)
    else if (key !== 'vocab' && key !== 'merges') forEachPattern(child, use)
  }
}

function repeatsRepeats(pattern: string): boolean {
  const open: boolean[] = [] // for each open group: does it hold a repeat or a choice?
  let risky = false
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]
    if (char === '\\') i++
    else if (char === '[') i = endOfClass(pattern, i)
    else if (char === '|') risky = true
    else if (char === '(') {
      open.push(risky)
      risky = false
    } else if (char === ')') {
      const repeated = UNBOUNDED.test(pattern.slice(i + 1, i + 24))
      if (repeated && risky) return true
      risky = (open.pop() ?? false) || risky || repeated
    } else if (UNBOUNDED.test(pattern.slice(i, i + 24))) risky = true
  }
  return false
}

/** The index of the bracket that closes a character class; classes nest in Oniguruma. */
function endOfClass(pattern: string, start: number): number {
  let depth = 0
  for (let i = start; i < pattern.length; i++) {
    if (pattern[i] === '\\') i++
    else if (pattern[i] === '[') depth++
    else if (pattern[i] === ']' && --depth === 0) return i
  }
  return pattern.length
}
