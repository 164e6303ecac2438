import { HeedError } from '../../util/errors.ts'
import { quote } from '../files/file-error.ts'

/**
 * Refuses values with NaN or an infinity: a checkpoint with either gives nonsense everywhere.
 * @param start where in the tensor the values begin
 */
export function assertFinite(values: Float32Array, tensor: string, file: string, start = 0): void {
  const index = firstNonFinite(values)
  if (index < 0) return
  throw new HeedError(
    'corrupt-file',
    `${file}: tensor ${quote(tensor)} holds ${values[index]} at element ${start + index}`,
    { remedy: 'The run that saved it had diverged: use an earlier checkpoint.' },
  )
}

/** The index of the first NaN or infinity, -1 when there is none. */
function firstNonFinite(values: Float32Array): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < bits.length; i++) if ((bits[i] & 0x7f800000) === 0x7f800000) return i
  return -1
}
