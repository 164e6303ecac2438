import { join } from 'node:path'
import { writeFileAtomic } from '../../io/files/atomic.ts'
import { ensureDir } from '../../io/files/ensure-dir.ts'
import { fileError } from '../../io/files/file-error.ts'
import type { Tokenizer } from '../tokenizer.ts'

export async function saveTokenizer(
  tokenizer: Tokenizer,
  folder: string,
  options: { modelMaxLength?: number },
): Promise<void> {
  // Always the last key, so that saving a reopened tokenizer gives the same bytes.
  const { model_max_length: before, ...config } = tokenizer.config
  const length = options.modelMaxLength ?? before
  const withLength = length === undefined ? config : { ...config, model_max_length: length }
  try {
    await ensureDir(folder)
  } catch (error) {
    throw fileError(error, 'create the folder', folder)
  }
  await writeFileAtomic(join(folder, 'tokenizer.json'), toText(tokenizer))
  await writeFileAtomic(join(folder, 'tokenizer_config.json'), toText(withLength))
  for (const [name, text] of Object.entries(tokenizer.vocabularyFiles))
    await writeFileAtomic(join(folder, name), text)
}

function toText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
