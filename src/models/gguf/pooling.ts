// The pooling method of an encoder in a GGUF file.
import { openGGUF } from '../../io/gguf/gguf.ts'
import type { Pooling } from '../../nn/index.ts'
import { HeedError } from '../../util/errors.ts'

/**
 * Returns the pooling method of a GGUF file; null if the file does not specify one.
 * @throws HeedError for other methods, such as that of rerankers
 */
export async function ggufPooling(path: string): Promise<Pooling | null> {
  const file = await openGGUF(path)
  try {
    const name = file.metadata.string('general.architecture', '')
    const type = file.metadata.number(`${name}.pooling_type`, 0)
    if (type === 0) return null
    const pooling = POOLINGS[type]
    if (pooling) return pooling
    throw new HeedError(
      'unsupported',
      `The pooling of ${path} must be mean, cls or last (1 to 3), got ${type}`,
      { key: 'pooling_type', value: type, remedy: 'Use an embedding model.' },
    )
  } finally {
    await file.close()
  }
}

/** Pooling methods by their number in the file. */
const POOLINGS: readonly (Pooling | undefined)[] = [undefined, 'mean', 'cls', 'lasttoken']
