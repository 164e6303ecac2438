import type { DType } from '../graph/dtype.ts'
import { countOf, type Shape, showShape } from '../graph/shape.ts'
import { Tensor } from '../tensor/index.ts'
import { wrongArgument } from '../util/check-argument.ts'
import { ShapeError } from '../util/errors.ts'
import type { StateSource } from './state-dict.ts'

/** With this begin the names of tensors in a file that belong to an optimiser (see `saveModel`). */
export const OPTIMIZER = 'optimizer:'

/** An open file of weights, such as `openSafetensors` returns. */
export interface StateFile {
  readonly names: readonly string[]
  info(name: string): { readonly shape: Shape }
  readSync(name: string, options: { as: 'f32' | 'i32' }): Float32Array | Int32Array
}

export interface StateReader {
  /** Of each stored tensor, by its name. */
  shapes: Record<string, { shape: Shape }>
  read(name: string, dtype: DType): StateSource
}

/** Stored state, from a dictionary or a file. @throws HeedError for a value that is no tensor */
export function stateReader(source: Record<string, StateSource> | StateFile): StateReader {
  if (typeof source !== 'object' || source === null || source instanceof Promise)
    throw wrongArgument(
      'loadStateDict',
      'dict',
      source,
      'an object with a tensor for each name, or an open file',
      source instanceof Promise ? 'Await it first.' : undefined,
    )
  if (isFile(source)) return fileReader(source)
  for (const name of Object.keys(source)) checkSource(name, source[name])
  return { shapes: source, read: (name) => source[name] }
}

function fileReader(file: StateFile): StateReader {
  const names = file.names.filter((name) => !name.startsWith(OPTIMIZER))
  const shapes = Object.fromEntries(names.map((name) => [name, file.info(name)]))
  const read = (name: string, dtype: DType): StateSource => {
    const data = file.readSync(name, { as: dtype === 'f32' ? 'f32' : 'i32' })
    return { data, shape: shapes[name].shape }
  }
  return { shapes, read }
}

const isFile = (source: object): source is StateFile =>
  'readSync' in source && typeof source.readSync === 'function'

function checkSource(name: string, source: StateSource): void {
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
