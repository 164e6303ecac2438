// Texts that tokenizers handle in unusual ways, seeded.
import { randomBelow } from '../../src/util/random.ts'

const PIECES = [
  ...['The', 'quick', 'fox', 'don', "'t", "it's", 'naïve', 'CAFÉ', 'straße', 'İstanbul', 'ﬁne', 'x²'],
  ...['日本語', '漢字かな', '한국어', 'ไทย', 'हिन्दी', 'עברית', 'العربية', 'Ελληνικά', 'русский', '𝔘𝔫𝔦'],
  ...['😀', '👩‍👩‍👧‍👦', '🇩🇪', '👍🏽', '❤️', '☃', '\u0301', 'e\u0301', '\u200d', '\u200b', '\ufeff', '\u00ad'],
  ...[' ', '  ', '\n', '\n\n', '\t', '\r\n', '\u00a0', '\u3000', '\u2028', ' . ', ' , ', " ' ", ' ? ', ' !'],
  ...['.', ',', '…', '“', '”', '—', '$', '€', '%', '(', ')', '{', '}', '<', '>', '/', '\\', '_', '__', '##'],
  ...['0', '12', '3.14', '1,000', '2026-11-29', '٣', '½', 'http://a.b/c?d=e', 'a@b.c', 'foo_bar', 'camelCase'],
  ...['</s>', '<s>', '<unk>', '<|endoftext|>', '<|im_end|>', '[MASK]', '[CLS]', '<0x41>', '▁', 'Ġ', '\ufffd', '\0'],
]

/** The same texts each time. */
export function unusualTexts(count: number, seed = 1): string[] {
  let draws = 0
  const below = (n: number): number => randomBelow(n, seed, draws++, 0)
  const piece = (): string => PIECES[below(PIECES.length)]
  return Array.from({ length: count }, () => {
    const length = 1 + below(14)
    return Array.from({ length }, () => piece() + (below(2) === 0 ? ' ' : '')).join('')
  })
}
