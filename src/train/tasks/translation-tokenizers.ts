// The tokenizers of both languages. Marian's folders have one for each language; most others have one for both.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Tokenizer } from '../../tokenizers/index.ts'
import type { Preprocessor } from '../task.ts'

export interface TextPairTokenizers extends Preprocessor {
  source: Tokenizer
  target: Tokenizer
}

export function tokenizersOf(source: Tokenizer, target = source): TextPairTokenizers {
  return {
    source,
    target,
    async save(folder, options) {
      await source.save(folder, options)
      if (target !== source) await target.save(join(folder, TARGET), options)
    },
  }
}

/** Opens the tokenizers of a folder that `save` has written, or of a checkpoint. */
export async function openTokenizers(folder: string): Promise<TextPairTokenizers> {
  const source = await Tokenizer.fromFile(folder)
  if (await exists(join(folder, TARGET)))
    return tokenizersOf(source, await Tokenizer.fromFile(join(folder, TARGET)))
  if (!(await exists(join(folder, 'target.spm')))) return tokenizersOf(source)
  return tokenizersOf(source, await Tokenizer.fromFile(folder, { asTarget: true }))
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

const TARGET = 'target_tokenizer'
