// What tasks on texts have in common: columns, tokenizers, padding.
import type { Batch, Row } from '../../data/index.ts'
import type { EncoderOptions } from '../../models/index.ts'
import { arange, type HeldInput, type Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { BatchTensors } from '../hold-batch.ts'

/** A text as tokens; `typeIds` where there are two. */
export interface TextExample {
  ids: readonly number[]
  typeIds?: readonly number[]
}

/** The text in a column. @throws HeedError when there is none */
export function textIn(row: Row, column: string): string {
  const value = valueIn(row, column)
  if (typeof value === 'string' && value.trim() !== '') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const what = typeof value === 'string' ? 'empty' : `${JSON.stringify(value)?.slice(0, 80)}`
  throw new HeedError('unknown-name', `'${column}' is ${what}, not a text`)
}

/** What stands in a column. @throws HeedError that lists the columns when this one is missing */
export function valueIn({ values }: Row, column: string): unknown {
  if (Object.hasOwn(values, column) && values[column] != null) return values[column]
  const names = Object.keys(values)
    .map((name) => `'${name.slice(0, 40)}'`)
    .join(', ')
  throw new HeedError('invalid-option', `there is no '${column}' in it, only ${names || 'nothing'}`)
}

/** input_ids (B, T), lengths (B), and token_type_ids (B, T) where the examples have them. */
export function textBatch(examples: readonly TextExample[], length: number, pad: number): Batch {
  const lengths = Int32Array.from(examples, ({ ids }) => Math.min(ids.length, length))
  const batch = {
    input_ids: padded(
      examples.map(({ ids }) => ids),
      length,
      pad,
    ),
    lengths: { data: lengths, shape: [examples.length] },
  }
  if (!examples.some(({ typeIds }) => typeIds)) return batch
  const types = examples.map(({ typeIds = [] }) => typeIds)
  return { ...batch, token_type_ids: padded(types, length, 0) }
}

/** Rows of numbers as one rectangle (B, length), filled up on the right. */
export function padded(
  rows: readonly (readonly number[])[],
  length: number,
  filling: number,
): HeldInput {
  const data = new Int32Array(rows.length * length).fill(filling)
  rows.forEach((row, i) => {
    for (let j = 0; j < Math.min(row.length, length); j++) data[i * length + j] = row[j]
  })
  return { data, shape: [rows.length, length] }
}

/** What a model is to know of a batch beside its ids. */
export function encoderInputs({
  input_ids,
  lengths,
  token_type_ids,
}: BatchTensors): EncoderOptions {
  const attentionMask: Tensor = arange(input_ids.shape[1]).lt(lengths.unsqueeze(1))
  return token_type_ids ? { attentionMask, tokenTypeIds: token_type_ids } : { attentionMask }
}

export const padId = (tokenizer: Tokenizer): number =>
  tokenizer.padTokenId ?? tokenizer.eosTokenId ?? 0
