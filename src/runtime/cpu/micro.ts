// Compiles expressions to micro-programs: typed instructions for the register machine of the kernels.
import type { DType } from '../../graph/dtype.ts'
import type { Expression, Step } from '../../schedule/schedule.ts'
import { HeedError } from '../../util/errors.ts'
import { type Emit, integerPower } from './integer-power.ts'

/** Numbers of instructions by name in this build of the addon. */
export type MicroNumbers = ReadonlyMap<string, number>

type Lane = 'f32' | 'i32' | 'u32'

/** u8 and bool are computed as i32. */
const laneOf: Record<DType, Lane> = { f32: 'f32', i32: 'i32', u32: 'u32', u8: 'i32', bool: 'i32' }

interface Instruction {
  name: string
  /** Positions in the list of values: inputs, then instructions. */
  args: number[]
  immediate?: number
}

/** Returns [number of instructions, 5 numbers for each instruction, result registers]. */
export function encodeExpression(expression: Expression, numbers: MicroNumbers): number[] {
  const { list, results } = expand(expression)
  const registers = assignRegisters(expression.inputs, list, results)
  const words = [list.length]
  list.forEach(({ name, args, immediate }, i) => {
    const number = numbers.get(name)
    if (number === undefined)
      throw new HeedError(
        'unsupported',
        `The native addon must have the instruction ${name}, but lacks it, so it was built for another version of Heed`,
        {
          key: 'instruction',
          value: name,
          remedy: 'Run `npx heed build` (in a checkout: `node native/build.mjs`).',
        },
      )
    const [a, b, c] = args.map((value) => registers[value])
    words.push(number, registers[expression.inputs + i], immediate ?? a ?? 0, b ?? 0, c ?? 0)
  })
  return [...words, ...results.map((value) => registers[value])]
}

/** Emits the instructions of each step. Conversions and the wrapping of u8 and bool take additional ones. */
function expand({ inputs, steps, results }: Expression): {
  list: Instruction[]
  results: number[]
} {
  const list: Instruction[] = []
  const valueAt = Array.from({ length: inputs }, (_, i) => i)
  const emit = (name: string, args: number[], immediate?: number): number => {
    list.push({ name, args, immediate })
    return inputs + list.length - 1
  }
  for (const step of steps) {
    const args = step.op === 'iota' ? step.args : step.args.map((value) => valueAt[value])
    valueAt.push(instructionsOf(step, args, emit))
  }
  return { list, results: results.map((value) => valueAt[value]) }
}

const renamed: Record<string, string> = { maximum: 'max', minimum: 'min' }
const roundings: ReadonlySet<string> = new Set(['floor', 'ceil', 'round', 'trunc'])
/** Operations whose result is 0 or 1 if the arguments are. */
const closedOnBool: ReadonlySet<string> = new Set([
  'and',
  'or',
  'xor',
  'max',
  'min',
  'mul',
  'abs',
  'sign',
])
const comparisons: ReadonlySet<string> = new Set(['eq', 'ne', 'lt', 'le'])

function instructionsOf({ op, dtype, from }: Step, args: number[], emit: Emit): number {
  if (op === 'iota') return emit('index', [], args[0])
  if (op === 'random') return emit('random', args)
  if (op === 'where') return emit('select', args)
  if (op === 'cast') return convert(args[0], from, dtype, emit)
  if (op === 'bitcast') return emit('copy', args)
  const lane = laneOf[from]
  if (lane !== 'f32') {
    if (roundings.has(op)) return emit('copy', args)
    if (op === 'not' && dtype === 'bool') return emit('not_bool', args)
    if (op === 'pow') {
      const bits = dtype === 'bool' ? 1 : dtype === 'u8' ? 8 : 32
      const power = integerPower(args[0], args[1], { lane, bits }, emit)
      return dtype === 'u8' ? emit('cast_i32_u8', [power]) : power
    }
  }
  const name = renamed[op] ?? op
  const value = emit(`${name}_${lane}`, args)
  if (comparisons.has(name)) return value
  if (dtype === 'u8') return emit('cast_i32_u8', [value])
  if (dtype === 'bool' && !closedOnBool.has(name)) return emit('cast_i32_bool', [value])
  return value
}

function convert(value: number, from: DType, to: DType, emit: Emit): number {
  if (from === to) return emit('copy', [value])
  if (from === 'f32') {
    if (to === 'u32') return emit('cast_f32_u32', [value])
    if (to === 'bool') return emit('cast_f32_bool', [value])
    const whole = emit('cast_f32_i32', [value])
    return to === 'u8' ? emit('cast_i32_u8', [whole]) : whole
  }
  if (to === 'f32') return emit(from === 'u32' ? 'cast_u32_f32' : 'cast_i32_f32', [value])
  if (to === 'bool') return emit('cast_i32_bool', [value])
  if (to === 'u8' && from !== 'bool') return emit('cast_i32_u8', [value])
  return emit('copy', [value])
}

/** Assigns registers. Inputs keep theirs, because they may be read from memory; all others are reused. */
function assignRegisters(inputs: number, list: Instruction[], results: number[]): number[] {
  const lastUse = new Map<number, number>()
  list.forEach(({ args }, i) => {
    for (const value of args) lastUse.set(value, i)
  })
  for (const value of results) lastUse.set(value, Number.POSITIVE_INFINITY)
  const registers = Array.from({ length: inputs }, (_, i) => i)
  const free: number[] = []
  let next = inputs
  list.forEach(({ args }, i) => {
    const result = inputs + i
    registers[result] = free.pop() ?? next++
    for (const value of new Set(args))
      if (value >= inputs && lastUse.get(value) === i) free.push(registers[value])
    if (!lastUse.has(result)) free.push(registers[result])
  })
  return registers
}
