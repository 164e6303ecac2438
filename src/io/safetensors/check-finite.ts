import { argumentKinds } from '../../util/argument-kinds.ts'
import { HeedError } from '../../util/errors.ts'
import { quote } from '../files/file-error.ts'

const checkAssertFinite = argumentKinds('assertFinite', {
  values: 'floats',
  tensor: 'text',
  file: 'text',
  start: 'count?',
})

/**
 * Checks that no value is NaN or infinite.
 * @param start index of the first value in the tensor
 * @throws HeedError that names the tensor and the element
 */
export function assertFinite(values: Float32Array, tensor: string, file: string, start = 0): void {
  checkAssertFinite(values, tensor, file, start)
  const index = firstNonFinite(values)
  if (index < 0) return
  throw new HeedError(
    'corrupt-file',
    `The values of tensor ${quote(tensor)} in ${file} must be finite, got ${values[index]} at element ${start + index}`,
    {
      key: tensor,
      value: values[index],
      remedy: 'The run that saved it diverged. Use an earlier checkpoint.',
    },
  )
}

/** Index of the first NaN or infinity, or -1. */
function firstNonFinite(values: Float32Array): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < bits.length; i++) if ((bits[i] & 0x7f800000) === 0x7f800000) return i
  return -1
}
