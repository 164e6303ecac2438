// Encodes kernel calls as the words of a program. kernels/cpp/program.h and arguments.h decode them.
import { bytesOf, dtypes } from '../../graph/dtype.ts'
import type { NamedOperands } from '../../schedule/cost.ts'
import type { KernelArguments, KernelCall, KernelName } from '../../schedule/kernel-call.ts'
import { kernelSchemas } from '../../schedule/kernel-schemas.ts'
import type { Expression, Operand } from '../../schedule/schedule.ts'
import type { AttributeSchema, KernelSchema } from '../../schedule/schema.ts'
import { type BlockFormat, blockFormats } from '../../util/block-formats.ts'
import { encodeExpression, type MicroNumbers } from './micro.ts'

/** Numbers of kernels by name in this build of the addon. */
export type KernelNumbers = ReadonlyMap<string, number>

const ARENA = 0
const SCALARS = 1

/** @param leaves number of leaves of the program, which are bound before the outputs */
export function encode(
  calls: readonly KernelCall[],
  leaves: number,
  kernels: KernelNumbers,
  micro: MicroNumbers,
): Float64Array {
  const words: number[] = []
  for (const call of calls) {
    const number = kernels.get(call.kernel)
    if (number === undefined) throw new Error(`the addon has no kernel ${call.kernel}`)
    const head = words.length
    words.push(number, call.operands.length, 0)
    for (const operand of call.operands) pushView(words, operand, leaves)
    const start = words.length
    pushAttributes(words, call, micro)
    words[head + 2] = words.length - start
  }
  return new Float64Array(words)
}

/** Appends a bit mask of the optional operands that are present, the lengths of operand lists, and the attributes. */
function pushAttributes(words: number[], call: KernelArguments, micro: MicroNumbers): void {
  const { optionals, lists, attributes } = layoutOf(call.kernel)
  const inputs: NamedOperands = call.inputs
  const outputs: NamedOperands = call.outputs
  if (optionals.length > 0) {
    let bits = 0
    for (let i = 0; i < optionals.length; i++)
      if (inputs[optionals[i]] ?? outputs[optionals[i]]) bits |= 1 << i
    words.push(bits)
  }
  for (const name of lists)
    words.push(((inputs[name] ?? outputs[name]) as readonly Operand[]).length)
  const values: Readonly<Record<string, unknown>> = call.attributes
  for (const [name, schema] of attributes) pushAttribute(words, schema, values[name], micro)
}

/** The type of a kernel call guarantees that `value` has the type that the table declares. */
function pushAttribute(
  words: number[],
  schema: AttributeSchema,
  value: unknown,
  micro: MicroNumbers,
): void {
  switch (schema.type) {
    case 'choice':
      words.push(schema.of.indexOf(value as string))
      break
    case 'format':
      words.push(blockFormats.indexOf(value as BlockFormat))
      break
    case 'integers':
      if (typeof schema.length === 'string') words.push((value as number[]).length)
      words.push(...(value as number[]))
      break
    case 'program':
      for (const word of encodeExpression(value as Expression, micro)) words.push(word)
      break
    default: // numbers and flags
      words.push(Number(value))
  }
}

interface Layout {
  optionals: string[]
  lists: string[]
  attributes: [string, AttributeSchema][]
}

const layouts = new Map<KernelName, Layout>()

function layoutOf(kernel: KernelName): Layout {
  const known = layouts.get(kernel)
  if (known) return known
  const { inputs, outputs, attributes }: KernelSchema = kernelSchemas[kernel]
  const operands = [...Object.entries(inputs), ...Object.entries(outputs)]
  const named = (arity: string): string[] =>
    operands.filter(([, schema]) => schema.arity === arity).map(([name]) => name)
  const layout = {
    optionals: named('optional'),
    lists: named('list'),
    attributes: Object.entries(attributes),
  }
  layouts.set(kernel, layout)
  return layout
}

function pushView(words: number[], view: Operand, leaves: number): void {
  const { buffer, dtype, shape, strides } = view
  const base = buffer.kind === 'arena' ? buffer.offset / bytesOf(dtype) : 0
  words.push(numberOf(buffer, leaves), dtypes.indexOf(dtype), base + view.offset, shape.length)
  for (const size of shape) words.push(size)
  for (const stride of strides) words.push(stride)
}

function numberOf({ kind, index }: Operand['buffer'], leaves: number): number {
  if (kind === 'arena') return ARENA
  if (kind === 'scalars') return SCALARS
  return 2 + (kind === 'leaf' ? index : leaves + index)
}
