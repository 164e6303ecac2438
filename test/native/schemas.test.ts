// Every rule of the table of kernels, broken one at a time in a command that is well formed otherwise: all are refused.
import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { headerPath, kernelHeader } from '../../scripts/generate-kernels.ts'
import type { DType } from '../../src/graph/dtype.ts'
import type { Addon } from '../../src/runtime/cpu/addon.ts'
import type { NamedOperands } from '../../src/schedule/cost.ts'
import type { KernelArguments, KernelName } from '../../src/schedule/kernel-call.ts'
import { kernelSchemas } from '../../src/schedule/kernel-schemas.ts'
import type { Operand } from '../../src/schedule/schedule.ts'
import {
  ANY_INPUT,
  type AttributeSchema,
  type KernelSchema,
  type OperandSchema,
} from '../../src/schedule/schema.ts'
import { contiguous } from '../../src/schedule/strided.ts'
import { blockFormats } from '../../src/util/block-formats.ts'
import { addons } from '../support/addons.ts'
import { sampleOf, words } from './samples.ts'

it('the header in the repository is what the table makes (`npm run generate:kernels`)', () => {
  expect(readFileSync(headerPath, 'utf8')).toBe(kernelHeader())
})

const kernels = Object.keys(kernelSchemas) as KernelName[]

describe.each(addons)('commands that break a rule of the table: $name', ({ addon }) => {
  test.each(kernels)('%s', (kernel) => {
    const good = sampleOf(kernel)
    expect(refusal(addon, words(addon, good)), 'a good command').toBe(null)
    const damages = [
      ...damagedWords(addon, good),
      ...damagedAttributes(addon, good),
      ...damagedOperands(good).map(([what, call]): Damage => [what, words(addon, call)]),
    ]
    for (const [what, command] of damages) expect(refusal(addon, command), what).not.toBe(null)
    expect(damages.length).toBeGreaterThan(8)
  })
})

/** The message, or null for a command that is accepted. */
function refusal(addon: Addon, command: number[]): string | null {
  try {
    addon.dispose(addon.program(Float64Array.from(command)))
    return null
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_HEED_PROGRAM' })
    return (error as Error).message
  }
}

type Damage = [what: string, words: number[]]

const schemaOf = (call: KernelArguments): KernelSchema => kernelSchemas[call.kernel]

const replaced = (list: readonly number[], at: number, value: number): number[] =>
  list.map((x, i) => (i === at ? value : x))

// --- whole words

/** Missing and additional operands and numbers, and NaN wherever a number is. */
function damagedWords(addon: Addon, call: KernelArguments): Damage[] {
  const good = words(addon, call)
  const [number, views, attrs] = good
  const starts = [3]
  for (let i = 0; i < views; i++) starts.push(starts[i] + 4 + 2 * good[starts[i] + 3])
  const end = starts[views]
  const out: Damage[] = []
  for (let i = 0; i < views; i++) {
    const without = [...good.slice(3, starts[i]), ...good.slice(starts[i + 1])]
    out.push([`without operand ${i}`, [number, views - 1, attrs, ...without]])
    const twice = [...good.slice(3, starts[i + 1]), ...good.slice(starts[i])]
    out.push([`operand ${i} twice`, [number, views + 1, attrs, ...twice]])
  }
  out.push(['an additional number', [number, views, attrs + 1, ...good.slice(3), 0]])
  for (let i = 0; i < attrs; i++) {
    const without = [...good.slice(3, end + i), ...good.slice(end + i + 1)]
    out.push([`without number ${i}`, [number, views, attrs - 1, ...without]])
    out.push([`number ${i} is NaN`, replaced(good, end + i, Number.NaN)])
  }
  return out
}

// --- attributes

function damagedAttributes(addon: Addon, call: KernelArguments): Damage[] {
  const good = words(addon, call)
  const { inputs, outputs, attributes } = schemaOf(call)
  const values: Readonly<Record<string, unknown>> = call.attributes
  const operands = [...Object.values(inputs), ...Object.values(outputs)]
  const out: Damage[] = []
  const change = (what: string, at: number, bad: readonly number[]): void => {
    for (const value of bad) out.push([`${what} is ${value}`, replaced(good, at, value)])
  }
  // Before the attributes: which optional operands are present, and the length of each list.
  let at = good.length - good[2]
  if (operands.some((x) => x.arity === 'optional')) change('presence', at++, [-1, 0.5, 2 ** 20])
  for (const { arity } of operands) if (arity === 'list') change('length', at++, [-1, 0.5, 2 ** 20])
  for (const [name, schema] of Object.entries(attributes)) {
    const value = values[name]
    if (schema.type === 'integers' && typeof schema.length === 'string')
      change(`the length of ${name}`, at++, [0, 1, 3, 9, 1.5])
    const isProgram = schema.type === 'program'
    const count = isProgram ? good.length - at : Array.isArray(value) ? value.length : 1
    for (let i = 0; i < count; i++, at++)
      change(`${name} ${i}`, at, badValues(call, schema, good[at]))
  }
  return out
}

function badValues(call: KernelArguments, schema: AttributeSchema, good: number): number[] {
  switch (schema.type) {
    case 'real':
      return [schema.min, schema.max].flatMap((limit, i) =>
        limit === undefined ? [] : [limit + (i ? 0.5 : -0.5)],
      )
    case 'integer': {
      const limits = typeof schema.max === 'number' ? [schema.max + 1] : [good - 1, good + 1, 1e6]
      return [schema.min - 1, good + 0.5, ...limits, ...(schema.divides ? [3] : [])]
    }
    case 'integers':
      return [schema.min - 1, schema.max + 1, good + 0.5]
    case 'flag':
      return [-1, 0.5, 2]
    case 'choice':
      return [-1, 0.5, schema.of.length]
    case 'format':
      return [-1, 0.5, blockFormats.length]
    case 'axis':
      return [-1, 0.5, operandOf(call, schema.of).shape.length]
    case 'program':
      return [good + 0.5, -1, 2 ** 20]
  }
}

// --- operands

type Change = [what: string, call: KernelArguments]

function damagedOperands(call: KernelArguments): Change[] {
  const { inputs, outputs } = schemaOf(call)
  const all = Object.entries({ ...inputs, ...outputs })
  const shared = sharedSizes(call)
  const changes: Change[] = []
  for (const [name, schema] of all) {
    const operand = operandOf(call, name)
    const change = (what: string, changed: Operand): void => {
      changes.push([`${name} ${what}`, withOperand(call, name, changed)])
    }
    const referred = all.some(([, x]) => typeof x.dtype === 'object' && x.dtype?.of === name)
    if (schema.dtype !== null || referred)
      change('of another type', { ...operand, ...retyped(operand) })
    if (schema.shape !== '*' || !schema.least)
      change('of higher rank', { ...operand, ...contiguous([2, ...operand.shape]) })
    axisNames(call, schema, operand).forEach((axis, i) => {
      if (!shared.has(axis)) return
      change(`longer along ${axis}`, {
        ...operand,
        ...contiguous(replaced(operand.shape, i, operand.shape[i] + 1)),
      })
    })
    if (schema.adjacent)
      change('with gaps', { ...operand, strides: operand.strides.map((x) => 2 * x) })
    if (schema.least) change('too small', { ...operand, ...contiguous([schema.least - 1]) })
    if (schema.presentWith) changes.push([`without ${name}`, withOperand(call, name, null)])
    if (name in outputs) changes.push(...damagedOutput(call, name, operand, schema))
  }
  return changes
}

/** Repeated elements, and memory that an input or another output has too. */
function damagedOutput(
  call: KernelArguments,
  name: string,
  operand: Operand,
  schema: OperandSchema,
): Change[] {
  const changes: Change[] = []
  const change = (what: string, changed: Partial<Operand>): void => {
    changes.push([`${name} ${what}`, withOperand(call, name, { ...operand, ...changed })])
  }
  operand.shape.forEach((size, axis) => {
    if (size > 1)
      change(`with stride 0 along ${axis}`, { strides: replaced(operand.strides, axis, 0) })
  })
  const { inputs, outputs } = schemaOf(call)
  for (const other of [...Object.keys(inputs), ...Object.keys(outputs)]) {
    if (other === name) continue
    const { buffer, shape } = operandOf(call, other)
    const allowed = schema.mayOverwrite === ANY_INPUT || schema.mayOverwrite === other
    const same = other in inputs && allowed && shape.length === operand.shape.length
    change(`over ${other}`, { buffer, offset: same ? 1 : 0 })
  }
  return changes
}

const retyped = ({ dtype }: Operand): { dtype: DType } => ({
  dtype: dtype === 'f32' ? 'i32' : 'f32',
})

/** What the table calls each axis of an operand. */
function axisNames(call: KernelArguments, { shape }: OperandSchema, operand: Operand): string[] {
  const attributes: Readonly<Record<string, unknown>> = call.attributes
  const pattern =
    typeof shape === 'string' ? shape : attributes[shape.attribute] ? shape.positive : shape.zero
  if (pattern === '*' || pattern === '1') return []
  const names = pattern.split(' ')
  if (names[0] !== '...') return names
  const lead = operand.shape.length - names.length + 1
  return [...Array.from({ length: lead }, (_, i) => `lead ${i}`), ...names.slice(1)]
}

/** Dimensions of two or more operands, or of an attribute. */
function sharedSizes(call: KernelArguments): Set<string> {
  const { inputs, outputs, attributes } = schemaOf(call)
  const counts = new Map<string, number>(Object.keys(attributes).map((name) => [name, 1]))
  for (const [name, schema] of Object.entries({ ...inputs, ...outputs }))
    for (const axis of axisNames(call, schema, operandOf(call, name)))
      counts.set(axis, (counts.get(axis) ?? 0) + 1)
  return new Set([...counts].filter(([, count]) => count > 1).map(([name]) => name))
}

/** The operand, or the first one of a list. */
function operandOf(call: KernelArguments, name: string): Operand {
  const operands: NamedOperands = { ...call.inputs, ...call.outputs }
  const operand = operands[name]
  if (operand === null) throw new Error(`the sample of ${call.kernel} has no ${name}`)
  return 'length' in operand ? operand[0] : operand
}

function withOperand(
  call: KernelArguments,
  name: string,
  changed: Operand | null,
): KernelArguments {
  const put = (operands: NamedOperands): NamedOperands => {
    if (!(name in operands)) return operands
    const old = operands[name]
    const value = old && 'length' in old && changed ? [changed, ...old.slice(1)] : changed
    return { ...operands, [name]: value }
  }
  // Damaged on purpose: its type is no longer that of the kernel.
  return { ...call, inputs: put(call.inputs), outputs: put(call.outputs) } as KernelArguments
}
