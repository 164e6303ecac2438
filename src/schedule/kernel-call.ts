// Kernel calls, with types that come from the table of kernels.
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
  /** The path of the module that asked for the call: errors and profiles print it. */
  readonly scope: string
  /** The operands that are present, inputs first. */
  readonly operands: readonly Operand[]
}

export type KernelCall<K extends KernelName = KernelName> = KernelArguments<K> & Emitted

/** A JavaScript function that runs between two parts of a program. */
export interface HostCall extends Emitted {
  readonly kernel: 'host'
  readonly inputs: { readonly values: readonly Operand[] }
  readonly outputs: { readonly result: Operand }
  /** `host`: its number in the graph's list. */
  readonly attributes: { readonly host: number }
}

export type Call = KernelCall | HostCall

/** A call as a program holds it. */
export function emitted<C extends KernelArguments | Omit<HostCall, keyof Emitted>>(
  call: C,
  scope = '',
): C & Emitted {
  const { kernel, inputs, outputs, attributes } = call
  // Field by field: a program has many calls, and a spread is slower and takes five times the memory.
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

/** Null where only the run knows: attention over the used part of a cache. */
export function costOf(call: KernelCall): Cost | null {
  const schema: KernelSchema = kernelSchemas[call.kernel]
  return schema.cost(call)
}

/** Kernels that have read each element by the time they overwrite it, so that state may be updated in place. */
export const overwritesInputs: ReadonlySet<string> = new Set(
  Object.entries<KernelSchema>(kernelSchemas)
    .filter(([, { outputs }]) => Object.values(outputs).every((x) => x.mayOverwrite === ANY_INPUT))
    .map(([kernel]) => kernel),
)
