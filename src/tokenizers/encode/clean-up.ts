import type { PieceSink } from './steps.ts'

/** Removes spaces before English punctuation, like `clean_up_tokenization_spaces` of transformers. */
export function cleanUp(text: string): string {
  return text
    .replaceAll(/ ([.?!,])/g, '$1')
    .replaceAll(" ' ", "'")
    .replaceAll(/ (n't|'m|'s|'ve|'re)/g, '$1')
}

/** Streaming version of `cleanUp`. Text that later text may change is held back. */
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

/** Length of the text that is final: no rule matches across a space unless a character of `IN_RULES` precedes it. */
function settledLength(text: string): number {
  let at = text.length - 1
  while (at > 0 && !(text[at] === ' ' && !IN_RULES.includes(text[at - 1]))) at--
  return Math.max(0, at)
}

const IN_RULES = " .?!,'"
