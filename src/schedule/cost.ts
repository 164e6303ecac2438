// What a kernel call does, counted from its shapes: what its time is to be compared with.
import { bytesOf } from '../graph/dtype.ts'
import type { Shape } from '../graph/shape.ts'
import type { KernelCall, Operand } from './schedule.ts'

export interface Cost {
  /** Floating-point operations of matrix products (a multiply-add is two); 0 for all other kernels. */
  flops: number
  /** Bytes that must be read, each once, and bytes that are written. */
  read: number
  written: number
}

/** Null where only the run knows: attention over the used part of a cache. */
export function costOf(call: KernelCall): Cost | null {
  const [first, second, third] = call.inputs
  switch (call.kernel) {
    case 'matmul':
    case 'matmulQuantized':
      return { ...traffic(call), flops: 2 * sizeOf(call.outputs[0]) * (first.shape.at(-1) ?? 1) }
    case 'attention':
    case 'attentionBackward':
      return attention(call)
    case 'convolution':
      return { ...traffic(call), flops: 2 * sizeOf(call.outputs[0]) * field(second) }
    case 'convolutionInput':
      return { ...traffic(call), flops: 2 * sizeOf(first) * field(second) }
    case 'convolutionWeight':
      return { ...traffic(call), flops: 2 * sizeOf(second) * field(call.outputs[0]) }
    case 'take': // only the rows that the index names are read
      return moved(call.outputs[0], second)
    case 'scatterAdd':
    case 'scatterSet':
      return { ...traffic(call), written: bytes(third) }
    case 'copyAt':
      return moved(first)
    case 'sliceAt':
      return moved(call.outputs[0])
    default:
      return traffic(call)
  }
}

function traffic({ inputs, outputs }: KernelCall): Cost {
  return { flops: 0, read: total(inputs), written: total(outputs) }
}

function moved(piece: Operand, ...also: Operand[]): Cost {
  return { flops: 0, read: bytes(piece) + total(also), written: bytes(piece) }
}

// attrs: scale, causal, bias, mask, length, dropout
function attention(call: KernelCall): Cost | null {
  const [, causal, , , hasLength] = call.attrs
  if (hasLength) return null
  const [q, k, v] = call.inputs
  const flops = attentionFlops([q.shape, k.shape, v.shape], causal === 1)
  return { ...traffic(call), flops: flops[call.kernel as keyof typeof flops] }
}

/** q (B, H, T, D), k (B, H', S, D), v (B, H', S, Dv). */
export function attentionFlops([q, k, v]: Shape[], causal: boolean) {
  const [batch, heads, T, D] = q
  const [S, Dv] = [k[2], v[3]]
  // Query i sees S - T + i + 1 keys, or all of them.
  const pairs = causal ? T * (S - T) + (T * (T + 1)) / 2 : T * S
  return {
    attention: 2 * batch * heads * pairs * (D + Dv),
    // The scores are computed again: three products of width D, two of width Dv.
    attentionBackward: 2 * batch * heads * pairs * (3 * D + 2 * Dv),
  }
}

const total = (operands: Operand[]): number => operands.reduce((sum, x) => sum + bytes(x), 0)

/** Of the elements in memory: what is repeated (stride 0) counts once. */
function bytes({ shape, strides, dtype }: Operand): number {
  return shape.reduce((n, size, i) => (strides[i] === 0 && size > 0 ? n : n * size), bytesOf(dtype))
}

/** What goes into one output of a convolution. */
const field = (weight: Operand): number => weight.shape.slice(1).reduce((n, size) => n * size, 1)

const sizeOf = ({ shape }: Operand): number => shape.reduce((n, size) => n * size, 1)
