// How the file of an encoder makes one vector of the states of a text.
import { openGGUF } from '../../io/gguf/gguf.ts'
import type { Pooling } from '../../nn/index.ts'
import { HeedError } from '../../util/errors.ts'

/**
 * The pooling that a GGUF file names; null where it names none.
 * @throws HeedError for a file that ranks pairs of texts
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
      { key: 'pooling_type', value: type, remedy: 'Use a model for embeddings.' },
    )
  } finally {
    await file.close()
  }
}

/** By the number in the file. */
const POOLINGS: readonly (Pooling | undefined)[] = [undefined, 'mean', 'cls', 'lasttoken']
