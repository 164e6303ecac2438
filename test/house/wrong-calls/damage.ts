// Calls as plain JavaScript can write them: a well-formed one, damaged in every way that the kind of each argument has.
import { tensor } from '../../../src/index.ts'
import { HeedError, shown } from '../../../src/util/errors.ts'

/** An argument that works, and values that must be refused in its place. */
export interface Argument {
  value: unknown
  wrong: readonly unknown[]
}

const nothing = [undefined, null]
const no = class Other {}
const other = new no()

/** The kinds of arguments; a name in front says that it may be left out. */
export const arg = {
  tensor: (value: unknown): Argument => ({
    value,
    wrong: [...nothing, 3, 'x', {}, [1], Promise.resolve(1)],
  }),
  tensors: (value: unknown): Argument => ({
    value,
    wrong: [...nothing, 3, 'x', [undefined], [3], tensor([1])],
  }),
  operand: (value: unknown): Argument => ({
    value,
    wrong: [...nothing, 'x', {}, [1], Promise.resolve(1)],
  }),
  shape: (value: unknown): Argument => ({ value, wrong: [...nothing, 3, 'x', [-1], [1.5], ['x']] }),
  number: (value: unknown): Argument => ({ value, wrong: [...nothing, 'x', {}, [1], true] }),
  size: (value: unknown): Argument => ({
    value,
    wrong: [...nothing, 'x', {}, -1, 1.5, Number.NaN],
  }),
  axis: (value: unknown): Argument => ({ value, wrong: [null, 'x', 99, 1.5, {}] }),
  flag: (value: unknown): Argument => ({ value, wrong: [null, 'x', 3, {}] }),
  text: (value: unknown): Argument => ({ value, wrong: [...nothing, 3, {}, [1], true] }),
  word: (value: unknown): Argument => ({ value, wrong: [null, 3, 'no such word', {}] }),
  function: (value: unknown): Argument => ({ value, wrong: [...nothing, 3, 'x', {}] }),
  options: (value: unknown): Argument => ({
    value,
    wrong: [null, 3, 'x', true, [1], other, { noSuchOption: 1 }],
  }),
  list: (value: unknown): Argument => ({ value, wrong: [...nothing, 3, 'x', {}] }),
  object: (value: unknown): Argument => ({ value, wrong: [...nothing, 3, 'x'] }),
  /** Any value is right. */
  any: (value: unknown): Argument => ({ value, wrong: [] }),
  maybeTensor: (value: unknown): Argument => ({ value, wrong: [3, 'x', {}, [1]] }),
  maybeNumber: (value: unknown): Argument => ({ value, wrong: [null, 'x', {}, [1]] }),
  maybeSize: (value: unknown): Argument => ({ value, wrong: [null, 'x', {}, -1, 1.5] }),
}

export type Call = (...args: never[]) => unknown

/** A call with its arguments. */
export interface Sample {
  name: string
  call: Call
  args: readonly Argument[]
}

/** Every way of writing the call wrongly. */
export function damaged({ call, args }: Sample): { text: string; run: () => unknown }[] {
  return args.flatMap(({ wrong }, i) =>
    wrong.map((value) => {
      const given = args.map((argument, k) => (k === i ? value : argument.value))
      const text = `argument ${i} is ${shown(value)}`
      return { text, run: () => call(...(given as never[])) }
    }),
  )
}

/** What a call answers: undefined for a HeedError in one sentence, otherwise what is wrong with it. */
export async function complaint(run: () => unknown): Promise<string | undefined> {
  try {
    const result = await settle(run())
    return `was accepted and gave ${String(result).slice(0, 60)}`
  } catch (error) {
    if (!(error instanceof HeedError)) return `threw ${String(error)}`
    if (
      error.message.length < 10 ||
      /undefined \(reading|is not a function|not iterable/.test(error.message)
    )
      return `is unclear: ${error.message}`
    return undefined
  }
}

async function settle(result: unknown): Promise<unknown> {
  const value = await result
  if (typeof value === 'object' && value !== null && 'next' in value)
    for await (const item of value as unknown as AsyncIterable<unknown>) return item
  return value
}

/** `new Class(...)` as a call. */
export const make =
  <A extends never[]>(Class: new (...args: A) => unknown): Call =>
  (...args) =>
    new Class(...(args as unknown as A))

/** What is registered under a name: each of its fields is of another kind, and missing if it may not be left out. */
export const definition = (
  value: Readonly<Record<string, unknown>>,
  { name = 'name', optional = [] }: { name?: string; optional?: readonly string[] } = {},
): Argument => ({
  value,
  wrong: [
    ...[undefined, null, 3, 'x', {}],
    ...['__proto__', '../x', 'a b', ''].map((wrong) => ({ ...value, [name]: wrong })),
    ...Object.keys(value).map((key) => ({ ...value, [key]: 3 })),
    ...Object.keys(value).flatMap((key) =>
      optional.includes(key) ? [] : [{ ...value, [key]: undefined }],
    ),
  ],
})

/** The methods of an object with their arguments, named after its class. */
export const methodsOf = (
  object: object,
  table: Readonly<Record<string, readonly Argument[]>>,
  owner = object.constructor.name,
): Sample[] =>
  Object.entries(table).map(([name, args]) => ({
    name: `${owner}.${name}`,
    call: (...given) => Reflect.get(object, name).apply(object, given),
    args,
  }))

/** The functions of an entry point with their arguments; classes are called with `new`. */
export const samplesOf = (
  module: object,
  table: Readonly<Record<string, readonly Argument[]>>,
): Sample[] =>
  Object.entries(table).map(([name, args]) => {
    const callee = Reflect.get(module, name)
    return { name, call: isClass(callee) ? make(callee) : callee, args }
  })

export const isClass = (value: unknown): value is new (...args: never[]) => unknown =>
  typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
