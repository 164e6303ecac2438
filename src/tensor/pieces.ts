import { checkShape, countOf, type Shape, showShape } from '../graph/shape.ts'
import type { Device, DeviceMemory } from '../runtime/device.ts'
import { defaultDevice } from '../runtime/devices.ts'
import { leafOn } from '../runtime/run.ts'
import { checkArgument } from '../util/check-argument.ts'
import { OutOfMemoryError, ShapeError } from '../util/errors.ts'
import { macrotask } from '../util/macrotask.ts'
import { tensorOf } from './core.ts'
import type { Tensor } from './tensor.ts'

/** Consecutive values of a tensor, each piece from index `start`. */
export type Pieces = AsyncIterable<{ start: number; values: Float32Array }>

/**
 * Creates an f32 tensor on the default device from values that arrive in pieces. Each piece is written directly to the
 * device's memory, so large tensors never exist twice. Elements that no piece covers are 0.
 * @param label name of the tensor in errors about memory
 * @throws ShapeError for a piece outside the shape
 */
export async function fromPieces(
  shape: Shape,
  pieces: Pieces,
  label = 'a tensor',
): Promise<Tensor> {
  const count = countOf(checkShape(shape, 'fromPieces'))
  checkArgument('fromPieces', 'pieces', pieces, 'object')
  const device = defaultDevice()
  const memory = await allocate(device, count, label)
  for await (const { start, values } of pieces) {
    if (start < 0 || start + values.length > count)
      throw new ShapeError(
        `${label}: elements must be within shape ${showShape(shape)}, got ${start} to ${start + values.length}`,
      )
    device.write(memory, values, start)
  }
  return tensorOf(leafOn(memory, shape, 'f32'))
}

/** If memory is exhausted, lets finalisers of unreachable tensors run and tries again. */
async function allocate(device: Device, count: number, label: string): Promise<DeviceMemory> {
  try {
    return device.allocate('f32', count, label)
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error
    await macrotask()
    await macrotask()
    return device.allocate('f32', count, label)
  }
}
