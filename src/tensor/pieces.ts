import { checkShape, countOf, type Shape, showShape } from '../graph/shape.ts'
import type { Device, DeviceMemory } from '../runtime/device.ts'
import { defaultDevice } from '../runtime/devices.ts'
import { leafOn } from '../runtime/run.ts'
import { checkArgument } from '../util/check-argument.ts'
import { OutOfMemoryError, ShapeError } from '../util/errors.ts'
import { macrotask } from '../util/macrotask.ts'
import { tensorOf } from './core.ts'
import type { Tensor } from './tensor.ts'

type Pieces = AsyncIterable<{ start: number; values: Float32Array }>

/**
 * An f32 tensor of the default device whose values come piece by piece and go straight into its
 * memory: a large one never exists twice. What no piece covers is 0.
 * @param label what errors about memory call it
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
        `${label}: elements must lie within shape ${showShape(shape)}, got ${start} to ${start + values.length}`,
      )
    device.write(memory, values, start)
  }
  return tensorOf(leafOn(memory, shape, 'f32'))
}

/** When memory is short, lets the finalisers of dropped tensors run and tries again. */
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
