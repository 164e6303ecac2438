// Numbers between bounds as regular expressions over their digits, with at most 15 digits before and after the decimal
// point, the precision of a double.

/** A range with integer or infinite bounds. */
export interface Range {
  least: number
  most: number
  exclusiveLeast?: boolean
  exclusiveMost?: boolean
}

/** A pattern for whole numbers in JSON, without exponents; null for an empty range. */
export function integerPattern({
  least,
  most,
  exclusiveLeast,
  exclusiveMost,
}: Range): string | null {
  const [low, high] = [exclusiveLeast ? least + 1 : least, exclusiveMost ? most - 1 : most]
  return anyOf([naturals(Math.max(low, 0), high), signed(naturals(Math.max(1, -high), -low))])
}

/** A pattern for whole numbers and decimal fractions such as -0.25, without trailing zeros; null for an empty range. */
export function numberPattern(range: Range): string | null {
  const { least, most } = range
  return anyOf([
    integerPattern(range),
    fraction(naturals(Math.max(least, 0), most - 1)),
    signed(fraction(naturals(Math.max(0, -most), -least - 1))),
  ])
}

const fraction = (integer: string | null): string | null =>
  integer && `${integer}\\.[0-9]{0,14}[1-9]`
const signed = (natural: string | null): string | null => natural && `-${natural}`

/** A pattern for whole numbers from `low` (at least 0) to `high`. */
function naturals(low: number, high: number): string | null {
  const [from, to] = [`${low}`, `${Math.min(high, LARGEST)}`]
  if (low > Math.min(high, LARGEST)) return null
  return anyOf(
    Array.from({ length: to.length - from.length + 1 }, (_, i) => {
      const digits = from.length + i
      const first = i === 0 ? from : `1${'0'.repeat(digits - 1)}`
      return between(first, digits === to.length ? to : '9'.repeat(digits))
    }),
  )
}

const LARGEST = 1e15 - 1

/** A pattern for strings of digits between two strings of the same length. */
function between(low: string, high: string): string {
  if (low === '') return ''
  const [a, b] = [Number(low[0]), Number(high[0])]
  const [lowRest, highRest] = [low.slice(1), high.slice(1)]
  const [zeros, nines] = [lowRest.replace(/./g, '0'), lowRest.replace(/./g, '9')]
  if (lowRest === zeros && highRest === nines) return digit(a, b) + anyDigits(lowRest.length)
  if (a === b) return `${a}${between(lowRest, highRest)}`
  return anyOf([
    `${a}${between(lowRest, nines)}`,
    b - a > 1 ? digit(a + 1, b - 1) + anyDigits(lowRest.length) : null,
    `${b}${between(zeros, highRest)}`,
  ]) as string
}

const digit = (a: number, b: number): string => (a === b ? `${a}` : `[${a}-${b}]`)
const anyDigits = (count: number): string => (count === 0 ? '' : `[0-9]{${count}}`)

function anyOf(patterns: (string | null)[]): string | null {
  const some = patterns.filter((pattern) => pattern !== null)
  return some.length === 0 ? null : `(?:${some.join('|')})`
}
