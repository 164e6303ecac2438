import type { DType } from '../../graph/dtype.ts'
import { realize, type Tensor } from '../../tensor/index.ts'
import { wrongArgument } from '../../util/check-argument.ts'
import type { StoredDType } from './stored-dtype.ts'
import type { TensorToWrite } from './write.ts'

/** Stored types of integers. Counters are as wide as in PyTorch. */
const stored: Record<Exclude<DType, 'f32'>, StoredDType> = {
  i32: 'i64',
  u32: 'u32',
  u8: 'u8',
  bool: 'bool',
}

/** Prepares a dictionary of tensors for writing. They are computed in one program and read one by one. */
export async function tensorsToWrite(
  tensors: Readonly<Record<string, Tensor>>,
  floats: StoredDType = 'f32',
): Promise<TensorToWrite[]> {
  const named = Object.entries(tensors)
  for (const [name, tensor] of named)
    if (!tensor?.node) throw wrongArgument('saveSafetensors', name, tensor, 'a tensor')
  await realize(named.map(([, tensor]) => tensor))
  return named.map(([name, tensor]) => {
    const dtype = tensor.dtype === 'f32' ? floats : stored[tensor.dtype]
    return { name, dtype, shape: tensor.shape, data: () => tensor.data() }
  })
}
