/** The smallest `least` · 2^k that is at least `n`. Rounded sizes let texts share compiled programs. */
export function powerOfTwo(n: number, least = 1): number {
  let size = least
  while (size < n) size *= 2
  return size
}
