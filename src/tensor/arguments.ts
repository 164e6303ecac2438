// Checks for calls from plain JavaScript: an argument that is not a tensor gives a clear error.
import type { Node } from '../graph/node.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { HeedError, shown } from '../util/errors.ts'

/** The node of an argument that must be a tensor. @throws HeedError for anything else */
export const nodeOf = (value: unknown, op: string, key = 'other'): Node =>
  isTensor(value) ? value.node : refuse(value, op, `\`${key}\` must be a tensor`)

/** Accepts tensors of any copy of Heed. */
const isTensor = (value: unknown): value is { node: Node } =>
  typeof value === 'object' && value !== null && 'node' in value

/** The nodes of an array of tensors. @throws HeedError for anything else */
export function nodesOf(tensors: readonly unknown[], op: string, key = 'tensors'): Node[] {
  if (Array.isArray(tensors)) return tensors.map((t, i) => nodeOf(t, op, `${key}[${i}]`))
  throw wrongArgument(op, key, tensors, 'an array of tensors')
}

/**
 * The node of the second operand of an element-wise operation that is not a number. @throws HeedError for anything else
 */
export const operandNode = (value: unknown, op: string): Node =>
  isTensor(value)
    ? value.node
    : refuse(value, op, 'the operand must be a tensor, a number or a boolean')

/** Checks arguments, keyed by name. @throws HeedError for values that are not tensors */
export function checkTensors(op: string, tensors: Readonly<Record<string, unknown>>): void {
  for (const key in tensors) nodeOf(tensors[key], op, key)
}

/** Like `checkTensors`, but null and undefined are valid. */
export function checkOptionalTensors(op: string, tensors: Readonly<Record<string, unknown>>): void {
  for (const key in tensors) if (tensors[key] != null) nodeOf(tensors[key], op, key)
}

function refuse(value: unknown, op: string, rule: string): never {
  throw new HeedError('invalid-option', `${op}: ${rule}, got ${shown(value)}`, {
    value,
    remedy: remedyFor(value),
  })
}

function remedyFor(value: unknown): string | undefined {
  if (value instanceof Promise) return 'Await it first.'
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return 'Convert it with tensor(values).'
  return undefined
}
