/**
 * The error function, accurate to about 1e-15. Below 2.5 it is the series of Abramowitz and Stegun 7.1.6,
 * whose terms are all positive; above, it is 1 - erfc(x) with the continued fraction 7.1.14.
 */
export function erf(x: number): number {
  const t = Math.abs(x)
  if (Number.isNaN(x)) return x
  if (t > 6) return Math.sign(x) // erfc(6) = 2e-17
  return Math.sign(x) * (t < 2.5 ? series(t) : 1 - complement(t))
}

/** 2/√π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)) */
function series(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}

/** exp(-x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))), evaluated from the inside. */
function complement(x: number): number {
  let fraction = x
  for (let n = 60; n > 0; n--) fraction = x + n / 2 / fraction
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction
}
