import type { EncoderModel, EncoderOptions } from '../models/index.ts'
import { noGrad, type Tensor, tensor } from '../tensor/index.ts'
import type { Encoding, Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'

/** What pipelines that read whole texts have in common. */
export interface BatchOptions {
  /** Texts that go through the model together. Default 16. */
  batchSize?: number
}

/** Some texts of about one length, as the model takes them. B texts, T tokens */
export interface TextBatch {
  ids: Tensor // (B, T) i32
  options: EncoderOptions
  /** bool (B, T) as bytes. */
  mask: Uint8Array
  tokens: number // T
  /** Where each of its texts was in the list. */
  rows: number[]
}

/** Lengths are rounded up to this, so that texts of many lengths share a few programs. */
const STEP = 16

/**
 * Runs encodings through `forward`, those of one length together, and gives what `read` makes of each
 * row in the order of the encodings.
 */
export async function inBatches<Output, Result>(
  encodings: readonly Encoding[],
  { model, tokenizer }: { model: EncoderModel; tokenizer: Tokenizer },
  { batchSize = 16 }: BatchOptions,
  forward: (batch: TextBatch) => Promise<Output>,
  read: (output: Output, row: number, encoding: Encoding, batch: TextBatch) => Result,
): Promise<Result[]> {
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new HeedError(
      'invalid-option',
      `batchSize ${batchSize} is not a whole number of at least 1`,
    )
  const order = encodings.map((_, i) => i)
  order.sort((a, b) => encodings[b].ids.length - encodings[a].ids.length)
  const results = new Array<Result>(encodings.length)
  for (let start = 0; start < order.length; start += batchSize) {
    const rows = order.slice(start, start + batchSize)
    const batch = batchOf(rows, encodings, model.contextLength, tokenizer)
    const output = await forward(batch)
    rows.forEach((i, row) => {
      results[i] = read(output, row, encodings[i], batch)
    })
  }
  return results
}

function batchOf(
  rows: number[],
  encodings: readonly Encoding[],
  limit: number,
  tokenizer: Tokenizer,
): TextBatch {
  const longest = Math.max(1, ...rows.map((i) => encodings[i].ids.length))
  const tokens = Math.min(limit, Math.ceil(longest / STEP) * STEP)
  const size = rows.length * tokens
  const ids = new Int32Array(size).fill(tokenizer.padTokenId ?? 0)
  const types = new Int32Array(size)
  const mask = new Uint8Array(size)
  rows.forEach((i, row) => {
    ids.set(encodings[i].ids, row * tokens)
    types.set(encodings[i].typeIds, row * tokens)
    mask.fill(1, row * tokens, row * tokens + encodings[i].ids.length)
  })
  const shape = [rows.length, tokens]
  const attentionMask = tensor(mask, { dtype: 'bool', shape })
  const options = hasTypes(tokenizer)
    ? { attentionMask, tokenTypeIds: tensor(types, { shape }) }
    : { attentionMask }
  return { ids: tensor(ids, { shape }), options, mask, tokens, rows }
}

/** Whether the model was trained with token types, as far as `model_input_names` tells. */
function hasTypes({ config }: Tokenizer): boolean {
  const names = config.model_input_names
  return !Array.isArray(names) || names.includes('token_type_ids')
}

/** Texts as tokens. One that is too long for the model is an error, unless it may be cut. */
export function encodeTexts(
  texts: readonly string[],
  { model, tokenizer }: { model: EncoderModel; tokenizer: Tokenizer },
  truncate: boolean,
): Encoding[] {
  const maxLength = truncate ? model.contextLength : undefined
  const encodings = texts.map((text) => tokenizer.encodeWithOffsets(text, { maxLength }))
  for (const { ids } of encodings) {
    if (ids.length > model.contextLength)
      throw new HeedError(
        'invalid-option',
        `A text has ${ids.length} tokens, the model sees ${model.contextLength}`,
        { remedy: 'Give shorter texts, or { truncate: true } to have them cut.' },
      )
    if (ids.length === 0)
      throw new HeedError('invalid-option', 'A text has no tokens', { remedy: 'Leave it out.' })
  }
  return encodings
}

/** The values of what a model computes, without gradients. */
export const valuesOf = async (compute: () => Tensor): Promise<Float32Array> =>
  Float32Array.from((await noGrad(compute).data()) as Float32Array)

/** One answer for one text, a list for a list. */
export async function forOneOrMany<R>(
  input: string | readonly string[],
  each: (texts: readonly string[]) => Promise<R[]>,
): Promise<R | R[]> {
  if (typeof input === 'string') return (await each([input]))[0]
  if (Array.isArray(input) && input.every((text) => typeof text === 'string')) return each(input)
  throw new HeedError('invalid-option', 'A pipeline takes a text, or a list of texts')
}
