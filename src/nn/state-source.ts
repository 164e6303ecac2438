import type { DType } from '../graph/dtype.ts'
import { countOf, type Shape, showShape } from '../graph/shape.ts'
import { Tensor } from '../tensor/index.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { ShapeError } from '../util/errors.ts'
import type { StateSource } from './state-dict.ts'

/** Prefix of the names of an optimiser's tensors in a file of weights (see `saveModel`). */
export const OPTIMIZER = 'optimizer:'

/** An open file of weights, as `openSafetensors` returns it. */
export interface StateFile {
  /** Names of the stored tensors. */
  readonly names: readonly string[]
  /** Returns the shape of a stored tensor. */
  info(name: string): { readonly shape: Shape }
  /** Reads a stored tensor, converted to f32, in row-major order. */
  read(name: string, options: { as: 'f32' }): Promise<Float32Array>
  /** Reads a stored tensor, converted to i32, in row-major order. */
  read(name: string, options: { as: 'i32' }): Promise<Int32Array>
}

/** The shape of each stored tensor, by name. */
export type StoredShapes = Record<string, { shape: Shape }>

/**
 * Whether the source is an open file. @throws HeedError for values that are neither a file nor a dictionary of tensors
 */
export function isStateFile(source: Record<string, StateSource> | StateFile): source is StateFile {
  if (typeof source !== 'object' || source === null || source instanceof Promise)
    throw wrongArgument(
      'loadStateDict',
      'dict',
      source,
      'an object of tensors by name, or an open file',
      source instanceof Promise ? 'Await it first.' : undefined,
    )
  if ('read' in source && typeof source.read === 'function') return true
  for (const [name, value] of Object.entries(source)) checkSource(name, value)
  return false
}

/** The shapes of a file's tensors, without those of an optimiser. */
export function shapesIn(file: StateFile): StoredShapes {
  const names = file.names.filter((name) => !name.startsWith(OPTIMIZER))
  return Object.fromEntries(names.map((name) => [name, file.info(name)]))
}

/** Reads a stored tensor for state of this dtype. */
export async function readState(file: StateFile, name: string, dtype: DType): Promise<StateSource> {
  const data = await (dtype === 'f32'
    ? file.read(name, { as: 'f32' })
    : file.read(name, { as: 'i32' }))
  return { data, shape: file.info(name).shape }
}

function checkSource(name: string, source: unknown): void {
  if (source instanceof Tensor) return
  if (!isArray(source))
    throw wrongArgument('loadStateDict', name, source, 'a tensor, or { data, shape }')
  const { data, shape } = source
  if (countOf(shape) !== data.length)
    throw new ShapeError(
      `loadStateDict: ${name} of shape ${showShape(shape)} must have ${countOf(shape)} values, got ${data.length}`,
      { key: name },
    )
}

const isArray = (source: unknown): source is Exclude<StateSource, Tensor> =>
  typeof source === 'object' &&
  source !== null &&
  'shape' in source &&
  Array.isArray(source.shape) &&
  'data' in source &&
  (Array.isArray(source.data) || ArrayBuffer.isView(source.data))
