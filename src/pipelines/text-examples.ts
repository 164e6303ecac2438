// Encodes texts as examples and batches of token ids.
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

/** The token ids of a text or of a pair of texts; pairs may have token type ids. */
export interface TextExample {
  /** Token ids, with special tokens. */
  ids: readonly number[]
  /** Token type ids: 0 for the first text, 1 for the second. Absent if the model has none. */
  typeIds?: readonly number[]
}

/** A text, or a pair of texts, for a classifier. */
export type TextInput = string | { text: string; text_pair?: string }

/** Options of pipelines that read texts in batches. */
export interface BatchOptions {
  /** Number of texts in a batch. Default 16. */
  batchSize?: number
}

export const BATCHES: OptionKinds<BatchOptions> = { batchSize: BATCH_SIZE }

/** Options for texts that are too long. */
export interface TruncateOptions {
  /** Truncate texts that are longer than `maxLength`; false: they are an error. Default false. */
  truncate?: boolean
  /** Maximum number of tokens in a text. Default: the context length of the model. */
  maxLength?: number
}

export const TRUNCATION: OptionKinds<TruncateOptions> = { truncate: 'flag?', maxLength: 'size?' }

/** Batches examples that have only token ids. */
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

/**
 * Creates a batch padded or truncated to `length`: input_ids (B, T), lengths (B), and token_type_ids (B, T) if the
 * examples have them.
 * @param pad the id for padding
 */
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

/** Creates an array (B, length) from rows of numbers; rows are padded on the right or truncated. */
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
      isNumbers = typeof row[j] === 'number' // checked here, because a separate pass would double the time
      data[i * length + j] = row[j]
    }
    if (!isNumbers) throw wrongArgument('padded', 'rows', row, 'arrays of numbers')
  })
  return { data, shape: [rows.length, length] }
}

/** The options of an encoder for a batch: attention mask and token types. */
export function encoderInputs(batch: BatchTensors): EncoderOptions {
  INPUTS.checkValues('encoderInputs', batch)
  const { input_ids, lengths, token_type_ids } = batch
  const attentionMask = arange(input_ids.shape[1]).lt(lengths.unsqueeze(1))
  return token_type_ids ? { attentionMask, tokenTypeIds: token_type_ids } : { attentionMask }
}

/** The id for padding: the padding token, or the end-of-text token, or 0. */
export function padId(tokenizer: Tokenizer): number {
  checkArgument('padId', 'tokenizer', tokenizer, 'tokenizer')
  return tokenizer.padTokenId ?? tokenizer.eosTokenId ?? 0
}

/**
 * Encodes texts.
 * @throws HeedError for a text without tokens, and for a text that is too long unless `truncate` is set
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
      remedy: 'Remove it.',
    })
  if (length > maxLength)
    throw new HeedError(
      'invalid-option',
      `A text must have at most ${maxLength} tokens, got ${length} tokens`,
      { value: length, remedy: 'Shorten the text, or set `truncate: true`.' },
    )
}

/** Converts an encoding to an example; pairs get token types if the model was trained with them. */
export function exampleOf(
  { ids, typeIds, sequenceIds }: Encoding,
  tokenizer: Tokenizer,
): TextExample {
  return sequenceIds.includes(1) && hasTypes(tokenizer) ? { ids, typeIds } : { ids }
}

/** Whether the model was trained with token types, according to `model_input_names`. */
function hasTypes({ config }: Tokenizer): boolean {
  const names = config.model_input_names
  return !Array.isArray(names) || names.includes('token_type_ids')
}

/** Returns one result for one input, and a list of results for a list. */
export async function forOneOrMany<I extends string | object, R>(
  input: I | readonly I[],
  isInput: (value: unknown) => value is I,
  each: (inputs: readonly I[]) => Promise<R[]>,
): Promise<R | R[]> {
  if (isInput(input)) return (await each([input]))[0]
  if (Array.isArray(input) && input.every(isInput)) return each(input)
  throw new HeedError(
    'invalid-option',
    `The input of a pipeline must be text or a list of texts, got ${shown(input)}`,
    { value: input, remedy: 'Pass a string, or an array of strings.' },
  )
}

export const isText = (value: unknown): value is string => typeof value === 'string'

export function isTextInput(value: unknown): value is TextInput {
  if (isText(value)) return true
  const { text, text_pair: pair } = Object(value) as Record<string, unknown>
  return isText(text) && (pair === undefined || isText(pair))
}
