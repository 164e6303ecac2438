// Kernel calls, with types derived from the table of kernels.
import { type Cost, collect } from './cost.ts'
import { kernelSchemas } from './kernel-schemas.ts'
import type { Operand } from './schedule.ts'
import { ANY_INPUT, type Arguments, type KernelSchema } from './schema.ts'

export type KernelName = keyof typeof kernelSchemas

type ArgumentsOf<K extends KernelName> =
  (typeof kernelSchemas)[K] extends KernelSchema<infer I, infer O, infer A>
    ? Arguments<I, O, A>
    : never

/** A kernel with its operands and attributes. */
export type KernelArguments<K extends KernelName = KernelName> = {
  [N in K]: { readonly kernel: N } & ArgumentsOf<N>
}[K]

interface Emitted {
  /** Path of the module that the call belongs to. Errors and profiles print it. */
  readonly scope: string
  /** All operands that are present, inputs first. */
  readonly operands: readonly Operand[]
}

export type KernelCall<K extends KernelName = KernelName> = KernelArguments<K> & Emitted

/** A JavaScript function that runs between two parts of a program. */
export interface HostCall extends Emitted {
  readonly kernel: 'host'
  readonly inputs: { readonly values: readonly Operand[] }
  readonly outputs: { readonly result: Operand }
  /** `host` is the index in `hosts` of the lowered graph. */
  readonly attributes: { readonly host: number }
}

export type Call = KernelCall | HostCall

/** Completes a call with its scope and its list of operands. */
export function emitted<C extends KernelArguments | Omit<HostCall, keyof Emitted>>(
  call: C,
  scope = '',
): C & Emitted {
  const { kernel, inputs, outputs, attributes } = call
  // Listed field by field: a spread is slower and takes five times the memory, and programs have many calls.
  const all: object = {
    kernel,
    inputs,
    outputs,
    attributes,
    scope,
    operands: collect(outputs, collect(inputs)),
  }
  return all as C & Emitted
}

/** The cost of a call. Null if it depends on run-time values (attention over the used part of a cache). */
export function costOf(call: KernelCall): Cost | null {
  const schema: KernelSchema = kernelSchemas[call.kernel]
  return schema.cost(call)
}

const schemas = new Map<string, KernelSchema>(Object.entries(kernelSchemas))

/** Kernels with inputs that must be contiguous, by their position. */
export const contiguousInputs: ReadonlyMap<string, readonly boolean[]> = new Map(
  Object.entries<KernelSchema>(kernelSchemas).map(([kernel, { inputs }]) => [
    kernel,
    Object.values(inputs).map(({ adjacent }) => adjacent === true),
  ]),
)

/** The position of the input that an output of a kernel may overwrite; null if there is none, or any. */
export function overwrittenInput(kernel: string, output: number): number | null {
  const schema = schemas.get(kernel)
  const name = schema && Object.values(schema.outputs)[output]?.mayOverwrite
  if (!schema || name === undefined || name === ANY_INPUT) return null
  return Object.keys(schema.inputs).indexOf(name)
}

/** Kernels that read each element before they overwrite it, so that they can update state in place. */
export const overwritesInputs: ReadonlySet<string> = new Set(
  Object.entries<KernelSchema>(kernelSchemas)
    .filter(([, { outputs }]) => Object.values(outputs).every((x) => x.mayOverwrite === ANY_INPUT))
    .map(([kernel]) => kernel),
)
