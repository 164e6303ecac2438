/**
 * Rounds `tokens` up to one of a few sizes, so that few programs serve all lengths: a multiple of `least` (a power of
 * two), and above 8·`least`, a multiple of an eighth of the next power of two.
 */
export function roomFor(tokens: number, least: number): number {
  const step = Math.max(least, 2 ** (Math.ceil(Math.log2(tokens)) - 3))
  return Math.ceil(tokens / step) * step
}
