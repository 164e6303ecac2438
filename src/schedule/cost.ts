// The work of a kernel call (operations and bytes), computed from its shapes. Profiles compare it with the time.
import { bytesOf } from '../graph/dtype.ts'
import type { Shape } from '../graph/shape.ts'
import type { Operand } from './schedule.ts'

/** What a kernel computes and moves. */
export interface Cost {
  /** Floating-point operations of matrix products (a multiply-add is two); 0 for all other kernels. */
  flops: number
  /** Bytes read (each byte counts once) and bytes written. */
  read: number
  /** Bytes written. */
  written: number
}

/** Operands by name; null if absent. */
export type NamedOperands = Readonly<Record<string, Operand | readonly Operand[] | null>>

/** The default cost: all inputs are read and all outputs written. */
export function traffic(call: { inputs: NamedOperands; outputs: NamedOperands }): Cost {
  return { flops: 0, read: total(call.inputs), written: total(call.outputs) }
}

/** The cost of copying `piece` elsewhere; the operands in `also` are read too. */
export function moved(piece: Operand, ...also: Operand[]): Cost {
  const read = also.reduce((sum, x) => sum + bytes(x), bytes(piece))
  return { flops: 0, read, written: bytes(piece) }
}

/** Floating-point operations of attention for q (B, H, T, D), k (B, H', S, D) and v (B, H', S, Dv). */
export function attentionFlops([q, k, v]: Shape[], causal: boolean) {
  const [batch, heads, T, D] = q
  const [S, Dv] = [k[2], v[3]]
  // Query i attends to S - T + i + 1 keys if causal, otherwise to all of them.
  const pairs = causal ? T * (S - T) + (T * (T + 1)) / 2 : T * S
  return {
    attention: 2 * batch * heads * pairs * (D + Dv),
    // The scores are recomputed: three products of width D, two of width Dv.
    attentionBackward: 2 * batch * heads * pairs * (3 * D + 2 * Dv),
  }
}

const total = (operands: NamedOperands): number =>
  collect(operands).reduce((sum, x) => sum + bytes(x), 0)

/** Appends the operands that are present to a list, in order. */
export function collect(operands: NamedOperands, to: Operand[] = []): Operand[] {
  for (const name in operands) {
    const operand = operands[name]
    if (operand === null) continue
    if ('length' in operand) for (const member of operand) to.push(member)
    else to.push(operand)
  }
  return to
}

/** Size of the elements in memory, in bytes. A repeated axis (stride 0) counts once. */
export function bytes({ shape, strides, dtype }: Operand): number {
  return shape.reduce((n, size, i) => (strides[i] === 0 && size > 0 ? n : n * size), bytesOf(dtype))
}

export const sizeOf = ({ shape }: Operand): number => shape.reduce((n, size) => n * size, 1)
