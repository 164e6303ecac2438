/**
 * Little more than `tokens`, in few sizes, so that few programs serve all lengths: in multiples of `least`
 * (a power of two), above eight of them of an eighth.
 */
export function roomFor(tokens: number, least: number): number {
  const step = Math.max(least, 2 ** (Math.ceil(Math.log2(tokens)) - 3))
  return Math.ceil(tokens / step) * step
}
