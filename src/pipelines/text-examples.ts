// Texts as examples and batches of token ids.
import type { Batch } from '../data/index.ts'
import type { EncoderOptions } from '../models/index.ts'
import { arange, type HeldInput } from '../tensor/index.ts'
import type { Encoding, Tokenizer } from '../tokenizers/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { HeedError, shown } from '../util/errors.ts'
import { type OptionKinds, OptionRules } from '../util/options.ts'
import type { BatchTensors } from './hold-batch.ts'
import { BATCH_SIZE, type Batching } from './run-examples.ts'

/** The token ids of a text, or of a pair of texts, which has `typeIds` too. */
export interface TextExample {
  ids: readonly number[]
  typeIds?: readonly number[]
}

/** A text, or a pair of texts, as a classifier reads it. */
export type TextInput = string | { text: string; text_pair?: string }

/** Options of the pipelines that read whole texts. */
export interface BatchOptions {
  /** Texts that go through the model together. Default 16. */
  batchSize?: number
}

export const BATCHES: OptionKinds<BatchOptions> = { batchSize: BATCH_SIZE }

export interface TruncateOptions {
  /** Cut texts that are longer than `maxLength`; otherwise they are an error. */
  truncate?: boolean
  /** Longest text in tokens. Default: the context length of the model. */
  maxLength?: number
}

export const TRUNCATION: OptionKinds<TruncateOptions> = { truncate: 'flag?', maxLength: 'size?' }

/** Batches of examples that are nothing but texts. */
export const textBatching = <E extends TextExample>(tokenizer: Tokenizer): Batching<E> => ({
  length: ({ ids }) => ids.length,
  collate: (examples, length) => textBatch(examples, length, padId(tokenizer)),
})

const checkTextBatch = argumentKinds('textBatch', {
  examples: 'objects',
  length: 'count',
  pad: 'integer',
})
const checkPadded = argumentKinds('padded', {
  rows: 'list',
  length: 'count',
  padding: 'integer',
})
const INPUTS = new OptionRules({
  input_ids: 'tensor',
  lengths: 'tensor',
  token_type_ids: 'tensor?',
})

/** input_ids (B, T), lengths (B), and token_type_ids (B, T) where the examples have them. */
export function textBatch(examples: readonly TextExample[], length: number, pad: number): Batch {
  checkTextBatch(examples, length, pad)
  const ids = examples.map((example) => example.ids)
  const input_ids = padded(ids, length, pad)
  const lengths = Int32Array.from(ids, (row) => Math.min(row.length, length))
  const batch = {
    input_ids,
    lengths: { data: lengths, shape: [examples.length] },
  }
  if (!examples.some(({ typeIds }) => typeIds)) return batch
  const types = examples.map(({ typeIds = [] }) => typeIds)
  return { ...batch, token_type_ids: padded(types, length, 0) }
}

/** Rows of numbers as one rectangle (B, length), padded on the right. */
export function padded(
  rows: readonly (readonly number[])[],
  length: number,
  padding: number,
): HeldInput {
  checkPadded(rows, length, padding)
  const data = new Int32Array(rows.length * length).fill(padding)
  rows.forEach((row, i) => {
    let isNumbers = Array.isArray(row) || ArrayBuffer.isView(row)
    for (let j = 0; isNumbers && j < Math.min(row.length, length); j++) {
      isNumbers = typeof row[j] === 'number' // checked here, as a second pass would take as long
      data[i * length + j] = row[j]
    }
    if (!isNumbers) throw wrongArgument('padded', 'rows', row, 'arrays of numbers')
  })
  return { data, shape: [rows.length, length] }
}

/** The arguments of an encoder beside the ids: attention mask and token types. */
export function encoderInputs(batch: BatchTensors): EncoderOptions {
  INPUTS.checkValues('encoderInputs', batch)
  const { input_ids, lengths, token_type_ids } = batch
  const attentionMask = arange(input_ids.shape[1]).lt(lengths.unsqueeze(1))
  return token_type_ids ? { attentionMask, tokenTypeIds: token_type_ids } : { attentionMask }
}

/** The id that fills rows: that of padding, or of the end of a text, or 0. */
export function padId(tokenizer: Tokenizer): number {
  checkArgument('padId', 'tokenizer', tokenizer, 'tokenizer')
  return tokenizer.padTokenId ?? tokenizer.eosTokenId ?? 0
}

/**
 * Texts as tokens.
 * @throws HeedError for a text without tokens, and for one that is too long and may not be cut
 */
export function encodeTexts(
  inputs: readonly TextInput[],
  { model, tokenizer }: { model: { contextLength: number }; tokenizer: Tokenizer },
  { truncate = false, maxLength = model.contextLength }: TruncateOptions,
): Encoding[] {
  return inputs.map((input) => {
    const { text, text_pair: pair } = typeof input === 'string' ? { text: input } : input
    const options = truncate ? { pair, maxLength } : { pair }
    const encoding = tokenizer.encodeWithOffsets(text, options)
    checkLength(encoding.ids.length, text, maxLength)
    return encoding
  })
}

function checkLength(length: number, text: string, maxLength: number): void {
  if (length === 0)
    throw new HeedError('invalid-data', `A text must have tokens, got ${shown(text)}`, {
      value: text,
      remedy: 'Leave it out.',
    })
  if (length > maxLength)
    throw new HeedError(
      'invalid-option',
      `A text must have at most ${maxLength} tokens, got ${length} tokens`,
      { value: length, remedy: 'Shorten the text, or cut it with `truncate: true`.' },
    )
}

/** An encoding as an example, with token types for pairs where the model was trained with them. */
export function exampleOf(
  { ids, typeIds, sequenceIds }: Encoding,
  tokenizer: Tokenizer,
): TextExample {
  return sequenceIds.includes(1) && hasTypes(tokenizer) ? { ids, typeIds } : { ids }
}

/** Whether the model was trained with token types, as far as `model_input_names` says. */
function hasTypes({ config }: Tokenizer): boolean {
  const names = config.model_input_names
  return !Array.isArray(names) || names.includes('token_type_ids')
}

/** The result of one input, or a list of results for a list. */
export async function forOneOrMany<I extends string | object, R>(
  input: I | readonly I[],
  isInput: (value: unknown) => value is I,
  each: (inputs: readonly I[]) => Promise<R[]>,
): Promise<R | R[]> {
  if (isInput(input)) return (await each([input]))[0]
  if (Array.isArray(input) && input.every(isInput)) return each(input)
  throw new HeedError(
    'invalid-option',
    `The input of a pipeline must be a text or a list of texts, got ${shown(input)}`,
    { value: input },
  )
}

export const isText = (value: unknown): value is string => typeof value === 'string'

export function isTextInput(value: unknown): value is TextInput {
  if (isText(value)) return true
  const { text, text_pair: pair } = Object(value) as Record<string, unknown>
  return isText(text) && (pair === undefined || isText(pair))
}
