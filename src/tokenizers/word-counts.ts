import { GPT2_SPLIT } from './byte-level.ts'

/**
 * Counts the words of a text as byte-level BPE cuts it. Text may come in pieces as long as a cut
 * stands before white space. Memory stays bounded: past the limit the rarest words are dropped,
 * and each time it is reached again, those a little less rare.
 */
export class WordCounts {
  readonly words = new Map<string, number>()
  private rare = 1

  add(text: string): void {
    for (const word of text.match(GPT2_SPLIT) ?? []) {
      const count = this.words.get(word)
      if (count === undefined) this.words.set(detach(word), 1)
      else this.words.set(word, count + 1)
    }
    if (this.words.size > MAX_WORDS) this.dropRare()
  }

  private dropRare(): void {
    while (this.words.size > MAX_WORDS / 2) {
      for (const [word, count] of this.words) if (count <= this.rare) this.words.delete(word)
      this.rare++
    }
  }
}

const MAX_WORDS = 4_000_000
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** A copy. V8 keeps longer matches as views into the text, and with them the whole text alive. */
function detach(word: string): string {
  return word.length < 13 ? word : decoder.decode(encoder.encode(word))
}
