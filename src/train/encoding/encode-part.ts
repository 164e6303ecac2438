import { type PackedExamples, Packer, type Row } from '../../data/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { Facts, Options, RowEncoder } from '../task.ts'

/** Some rows as packed examples, and those that are wrong. */
export interface EncodedPart {
  packed: PackedExamples
  mistakes: { row: number; message: string }[]
}

/** What a task is made of again, in another thread. */
export interface EncodingSetup {
  task: string
  options: Options
  facts: Facts
  modelType: string
  contextLength: number
  /** Where the preprocessor has been saved. */
  folder: string
  /** Rows are parts of texts, of which the ids are wanted and nothing more. */
  partsOfTexts?: boolean
}

/** The ids of a part of a text, which is the value `text` of its row. */
export function idsOfParts(tokenizer: Tokenizer): RowEncoder<readonly number[]> {
  return {
    name: 'text',
    encode: ({ values }) => [tokenizer.encode(String(values.text), { addSpecialTokens: false })],
    length: (ids) => ids.length,
  }
}

export async function encodePart(task: RowEncoder, rows: readonly Row[]): Promise<EncodedPart> {
  const packer = new Packer()
  const sizes: number[] = []
  const lengths: number[] = []
  const mistakes: EncodedPart['mistakes'] = []
  for (const [i, row] of rows.entries())
    try {
      for (const example of await task.encode(row)) {
        const before = packer.length
        packer.add(example)
        sizes.push(packer.length - before)
        lengths.push(task.length(example))
      }
    } catch (error) {
      if (!(error instanceof HeedError)) throw error
      mistakes.push({ row: i, message: error.message })
    }
  const packed = {
    bytes: packer.take(),
    sizes: Uint32Array.from(sizes),
    lengths: Uint32Array.from(lengths),
  }
  return { packed, mistakes }
}
