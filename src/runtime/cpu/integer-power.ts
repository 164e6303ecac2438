/** Appends an instruction and returns the position of its value. */
export type Emit = (name: string, args: number[], immediate?: number) => number

/**
 * Emits the power of two integers, for which the kernels have no instruction: repeated squaring, with
 * results modulo 2³². `bits` is the width of the exponent. Negative exponents truncate 1/aⁿ to an integer.
 */
export function integerPower(
  a: number,
  b: number,
  { lane, bits }: { lane: 'i32' | 'u32'; bits: number },
  emit: Emit,
): number {
  const compute = (op: string, ...args: number[]): number => emit(`${op}_${lane}`, args)
  const one = compute('eq', b, b)
  let out = one
  let square = a
  let rest = b
  for (let bit = 0; bit < bits; bit++) {
    if (bit > 0) {
      square = compute('mul', square, square)
      rest = compute('shr', rest, one)
    }
    out = emit('select', [compute('and', rest, one), compute('mul', out, square), out])
  }
  if (lane === 'u32' || bits < 32) return out
  const zero = compute('sub', one, one)
  const isUnit = compute('eq', compute('abs', a), one)
  const unit = emit('select', [compute('and', b, one), a, one])
  const inverse = emit('select', [isUnit, unit, zero])
  return emit('select', [compute('lt', b, zero), inverse, out])
}
