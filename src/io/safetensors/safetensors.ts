import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HeedError } from '../../util/errors.ts'
import { fileError, systemCode } from '../files/file-error.ts'
import { fileFormat } from '../files/file-format.ts'
import type { Safetensors } from './file.ts'
import { openShards, openTensorFile } from './shards.ts'
import { WEIGHT_FILES } from './weight-files.ts'

export { assertFinite } from './check-finite.ts'
export type { Piece, Safetensors } from './file.ts'
export { type SaveWeightsOptions, saveSafetensors } from './save.ts'
export {
  isStoredDType,
  type KnownDType,
  type StoredDType,
  type TypedArray,
} from './stored-dtype.ts'
export { type TensorToWrite, writeSafetensors } from './write.ts'

/**
 * Opens a `.safetensors` file, a sharded checkpoint (`model.safetensors.index.json`), a state dict of PyTorch
 * (`pytorch_model.bin`), or a folder with one of them. Only the header is read; tensors are read on demand. Call
 * `close()` afterwards.
 * @throws HeedError for a missing file, a damaged header or another format
 */
export async function openSafetensors(path: string): Promise<Safetensors> {
  const file = await resolveWeights(path)
  const isIndex = file.endsWith('.json') || (await fileFormat(file)) === 'json'
  return isIndex ? openShards(file) : openTensorFile(file)
}

async function resolveWeights(path: string): Promise<string> {
  if (!(await exists(path, (s) => s.isDirectory()))) return path
  for (const name of WEIGHT_FILES) {
    const file = join(path, name)
    if (await exists(file, (s) => s.isFile())) return file
  }
  throw new HeedError(
    'missing-file',
    `${path} must contain one of ${WEIGHT_FILES.join(', ')}, got none`,
    {
      value: path,
      remedy: 'Use the folder of a saved model, or the path of a .safetensors file.',
    },
  )
}

async function exists(
  path: string,
  kind: (stats: Awaited<ReturnType<typeof stat>>) => boolean,
): Promise<boolean> {
  try {
    return kind(await stat(path))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw fileError(error, 'read', path)
  }
}
