import type { EncoderModel, MaskedLM, MaskedLMOptions } from '../models/index.ts'
import type { Tensor } from '../tensor/index.ts'
import type { Tokenizer } from '../tokenizers/index.ts'
import { HeedError, shown } from '../util/errors.ts'
import { optionReader } from './option-names.ts'
import type { ModelWithTokenizer } from './pipeline.ts'
import { runExamples } from './run-examples.ts'
import { softmax, topIndices } from './scores.ts'
import {
  BATCHES,
  type BatchOptions,
  encoderInputs,
  encodeTexts,
  forOneOrMany,
  isText,
  padded,
  type TextExample,
  textBatching,
} from './text-examples.ts'

/** Options of the pipeline 'fill-mask'. */
export interface FillOptions extends BatchOptions {
  /** Number of predictions for each mask. Default 5. */
  topK?: number
}

const readOptions = optionReader<FillOptions>('fill-mask', { ...BATCHES, topK: 'size?' })

/** A prediction for a mask. */
export interface Filled {
  /** Probability of the token. */
  score: number
  /** Id of the token. */
  token: number
  /** The token as text. */
  token_str: string
  /** The text with the token in place of the mask. */
  sequence: string
}

/** Predicts the most probable tokens for the mask of each text; for a text with several masks, a list for each mask. */
export interface FillMask {
  (text: string, options?: FillOptions): Promise<Filled[] | Filled[][]>
  (texts: readonly string[], options?: FillOptions): Promise<(Filled[] | Filled[][])[]>
}

/** Creates the pipeline 'fill-mask'. */
export function fillMask({ model, tokenizer }: ModelWithTokenizer<MaskedLM>): FillMask {
  const predictor: TokenPredictor = (ids, options) => model.forward(ids, options)
  const source = { model, predictor, tokenizer }
  const fill = async (input: string | readonly string[], given?: FillOptions) => {
    const options = readOptions(given)
    return forOneOrMany(input, isText, (texts) => fillAll(source, texts, options))
  }
  return fill as FillMask
}

async function fillAll(
  source: Source,
  texts: readonly string[],
  { topK = 5, batchSize }: FillOptions,
): Promise<(Filled[] | Filled[][])[]> {
  const { tokenizer } = source
  const encodings = encodeTexts(texts, source, {})
  const mask = maskOf(tokenizer)
  encodings.forEach(({ ids }, i) => {
    if (!ids.includes(mask)) throw withoutMask(texts[i], tokenizer.idToToken(mask) ?? '')
  })
  const all = await guessTokens(source, encodings, { topK, batchSize })
  return all.map((guesses, i) => {
    const { ids } = encodings[i]
    const lists = guesses.map(({ place, tokens }) =>
      tokens.map(({ token, score }): Filled => {
        const skipSpecialTokens = guesses.length === 1
        const sequence = tokenizer.decode(ids.with(place, token), { skipSpecialTokens })
        return { score, token, token_str: tokenizer.decode([token]), sequence }
      }),
    )
    return lists.length === 1 ? lists[0] : lists
  })
}

/** Maps ids (B, T) to logits (N, V) at the positions `logitsAt`. */
export type TokenPredictor = (ids: Tensor, options: MaskedLMOptions) => Tensor

interface Source {
  model: EncoderModel
  predictor: TokenPredictor
  tokenizer: Tokenizer
}

/** The position of a mask in the text, and the most probable tokens for it. */
export interface MaskGuesses {
  place: number
  tokens: { token: number; score: number }[]
}

/** Predicts the `topK` most probable tokens for each mask of each example. */
export async function guessTokens(
  { model, predictor, tokenizer }: Source,
  texts: readonly TextExample[],
  { topK, batchSize = 16 }: { topK: number; batchSize?: number },
): Promise<MaskGuesses[][]> {
  const mask = maskOf(tokenizer)
  const examples = texts.map(({ ids }) => ({
    ids,
    places: ids.flatMap((id, i) => (id === mask ? [i] : [])),
  }))
  const { length, collate } = textBatching(tokenizer)
  const most = examples.reduce((n, { places }) => Math.max(n, places.length), 1)
  return runExamples(examples, {
    batching: {
      length,
      // Only the logits of masks leave the device; the logits of all tokens would be very large.
      collate: (batch, width, draw) => ({
        ...collate(batch, width, draw),
        places: { ...padded(batch.map(({ places }, row) => places.map((i) => row * width + i)), most, 0), shape: [batch.length * most] }, // biome-ignore format: one line
      }),
    },
    model,
    batchSize,
    forward: (batch) => {
      const options = { ...encoderInputs(batch), logitsAt: batch.places }
      return [predictor(batch.input_ids, options)]
    },
    read: ([logits], row, { places }) =>
      places.map((place, i) => {
        const start = (row * most + i) * model.vocabSize
        const scores = softmax(logits.subarray(start, start + model.vocabSize))
        const tokens = topIndices(scores, topK).map((token) => ({ token, score: scores[token] }))
        return { place, tokens }
      }),
  })
}

function maskOf({ maskTokenId }: Tokenizer): number {
  if (maskTokenId !== undefined) return maskTokenId
  throw new HeedError(
    'unsupported',
    'The tokenizer must have a mask token, got a tokenizer without one',
    {
      remedy: 'Use the tokenizer of a masked language model.',
    },
  )
}

const withoutMask = (text: string, name: string): HeedError =>
  new HeedError('invalid-data', `A text must have a mask token (${name}), got ${shown(text)}`, {
    value: text,
    remedy: `Write ${name} for each word to predict.`,
  })
