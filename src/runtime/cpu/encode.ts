// Kernel calls as the numbers that the kernels decode (kernels/cpp/program.h).
import { bytesOf, dtypes } from '../../graph/dtype.ts'
import type { Reduction } from '../../graph/ops.ts'
import type { KernelCall, Operand, Schedule } from '../../schedule/schedule.ts'
import { encodeExpression, type MicroNumbers } from './micro.ts'

/** Numbers of kernels by name, as the addon was built. */
export type KernelNumbers = ReadonlyMap<string, number>

const ARENA = 0
const SCALARS = 1

const reductions: Record<Reduction, number> = {
  sum: 0,
  prod: 1,
  amax: 2,
  amin: 3,
  argmax: 4,
  argmin: 5,
}

const valueTypes = { f32: 0, i32: 1, u32: 2, u8: 1, bool: 1 }

export function encode(
  calls: readonly KernelCall[],
  { leaves }: Pick<Schedule, 'leaves'>,
  kernels: KernelNumbers,
  micro: MicroNumbers,
): Float64Array {
  const words: number[] = []
  for (const call of calls) {
    const number = kernels.get(call.kernel)
    if (number === undefined) throw new Error(`the addon has no kernel ${call.kernel}`)
    const views = [...call.inputs, ...call.outputs]
    const attrs = attrsOf(call, micro)
    words.push(number, views.length, attrs.length)
    for (const view of views) pushView(words, view, leaves)
    for (const attr of attrs) words.push(attr)
  }
  return Float64Array.from(words)
}

function attrsOf(call: KernelCall, micro: MicroNumbers): number[] {
  const { expression, inputs, outputs, reduction } = call
  if (!expression) return call.attrs
  const program = encodeExpression(expression, micro)
  if (!reduction) return [inputs.length, outputs.length, ...program]
  const step = expression.steps.at(-1)
  const valueType = valueTypes[step ? step.dtype : inputs[0].dtype]
  return [reductions[reduction.op], valueType, reduction.kept, inputs.length, ...program]
}

function pushView(words: number[], view: Operand, leaves: number): void {
  const { buffer, dtype, shape, strides } = view
  const base = buffer.kind === 'arena' ? buffer.offset / bytesOf(dtype) : 0
  words.push(numberOf(buffer, leaves), dtypes.indexOf(dtype), base + view.offset, shape.length)
  for (const size of shape) words.push(size)
  for (const stride of strides) words.push(stride)
}

/** Leaves are bound first, then outputs. */
function numberOf({ kind, index }: Operand['buffer'], leaves: number): number {
  if (kind === 'arena') return ARENA
  if (kind === 'scalars') return SCALARS
  return 2 + (kind === 'leaf' ? index : leaves + index)
}
