/** Up to four divisors of `n` that are nearest to `wished`, in ascending order. */
export function divisorsNear(n: number, wished: number): number[] {
  return Array.from({ length: Math.min(n, 4096) }, (_, i) => i + 1)
    .filter((divisor) => n % divisor === 0)
    .sort((a, b) => Math.abs(a - wished) - Math.abs(b - wished))
    .slice(0, 4)
    .sort((a, b) => a - b)
}
