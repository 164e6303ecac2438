import { type PackedExamples, Packer, type Row } from '../../data/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { Facts, Options, RowEncoder } from '../task.ts'

/** The packed examples of a group of rows, and the mistakes in these rows. */
export interface EncodedPart {
  packed: PackedExamples
  mistakes: { row: number; message: string; remedy?: string }[]
}

/** The data from which another thread creates the encoder of a task. */
export interface EncodingSetup {
  task: string
  options: Options
  facts: Facts
  modelType: string
  contextLength: number
  /** The folder with the saved preprocessor. */
  folder: string
  /** Rows are pieces of text; only their ids are needed. */
  partsOfTexts?: boolean
}

/** Encodes the value `text` of each row, a piece of a text, as ids. */
export function idsOfParts(tokenizer: Tokenizer): RowEncoder<readonly number[]> {
  return {
    name: 'text',
    encode: ({ values }) => [tokenizer.encode(String(values.text), { addSpecialTokens: false })],
    length: (ids) => ids.length,
  }
}

/** Encodes a group of rows; errors of rows are collected, not thrown. */
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
      mistakes.push({ row: i, message: error.message, remedy: error.remedy })
    }
  const packed = {
    bytes: packer.take(),
    sizes: Uint32Array.from(sizes),
    lengths: Uint32Array.from(lengths),
  }
  return { packed, mistakes }
}
