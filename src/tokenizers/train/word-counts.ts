import { AlignedText } from '../encode/aligned-text.ts'
import { GPT2_SPLIT } from '../encode/byte-level.ts'
import { makeTokenizerStep } from '../encode/register-step.ts'
import type { ComponentJson } from '../formats/tokenizer-json.ts'

/** Splits a text into words for byte-level BPE. */
export function gpt2Words(text: string): string[] {
  return text.match(GPT2_SPLIT) ?? []
}

/** Makes a function that splits a text into words by steps of a `tokenizer.json`. */
export function wordsBy(
  normalizer: ComponentJson,
  preTokenizer: ComponentJson,
): (text: string) => string[] {
  const normalize = makeTokenizerStep('normalizer', normalizer, 'the normalizer')
  const split = makeTokenizerStep('pre_tokenizer', preTokenizer, 'the pre-tokenizer')
  return (text) => split(normalize(new AlignedText(text))).map((word) => word.text)
}

/**
 * Counts the words of a text, which may be given in pieces that are cut before white space. Memory is bounded: at the
 * limit, the rarest words are removed, with a higher threshold each time.
 */
export class WordCounts {
  readonly words = new Map<string, number>()
  private rare = 1
  private readonly wordsOf: (text: string) => string[]
  private readonly limit: number

  constructor(wordsOf: (text: string) => string[], limit = MAX_WORDS) {
    this.wordsOf = wordsOf
    this.limit = limit
  }

  add(text: string): void {
    for (const word of this.wordsOf(text)) this.count(word, 1)
    this.bound()
  }

  /** Adds to the count of a word. */
  count(word: string, times: number): void {
    const count = this.words.get(word)
    if (count === undefined) this.words.set(detach(word), times)
    else this.words.set(word, count + times)
  }

  /** Removes the rarest words if there are too many. */
  bound(): void {
    if (this.words.size <= this.limit) return
    while (this.words.size > this.limit / 2) {
      for (const [word, count] of this.words) if (count <= this.rare) this.words.delete(word)
      this.rare++
    }
  }
}

const MAX_WORDS = 4_000_000
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Copies a word, because V8 stores longer matches as views that keep the whole text in memory. */
function detach(word: string): string {
  return word.length < 13 ? word : decoder.decode(encoder.encode(word))
}
