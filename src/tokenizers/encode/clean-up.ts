import type { PieceSink } from './steps.ts'

/** English spacing around punctuation: transformers' `clean_up_tokenization_spaces`. */
export function cleanUp(text: string): string {
  return text
    .replaceAll(/ ([.?!,])/g, '$1')
    .replaceAll(" ' ", "'")
    .replaceAll(/ (n't|'m|'s|'ve|'re)/g, '$1')
}

/** Cleans a text up as it comes; the part that later text may change is held back. */
export function cleanedUp(next: PieceSink): PieceSink {
  let held = ''
  return {
    push(text) {
      held += text
      const settled = settledLength(held)
      if (settled === 0) return
      next.push(cleanUp(held.slice(0, settled)), false)
      held = held.slice(settled)
    },
    end() {
      next.push(cleanUp(held), true)
      next.end()
    },
  }
}

/** No rule matches across a space after a character other than these, unless it starts with the space. */
function settledLength(text: string): number {
  let at = text.length - 1
  while (at > 0 && !(text[at] === ' ' && !IN_RULES.includes(text[at - 1]))) at--
  return Math.max(0, at)
}

const IN_RULES = " .?!,'"
