import type { MaskedLM } from '../models/index.ts'
import { tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { type BatchOptions, encodeTexts, forOneOrMany, inBatches, valuesOf } from './batches.ts'
import type { Parts } from './pipeline.ts'
import { softmax, topIndices } from './scores.ts'

export interface FillOptions extends BatchOptions {
  /** How many guesses. Default 5. */
  topK?: number
}

/** One guess. */
export interface Filled {
  score: number
  token: number
  token_str: string
  /** The text with the guess in it. */
  sequence: string
}

/** The likeliest tokens for the mask of each text; where a text has several, a list for each of them. */
export interface FillMask {
  (text: string, options?: FillOptions): Promise<Filled[] | Filled[][]>
  (texts: readonly string[], options?: FillOptions): Promise<(Filled[] | Filled[][])[]>
}

export function fillMask(parts: Parts<MaskedLM>): FillMask {
  const fill = (input: string | readonly string[], options: FillOptions = {}) =>
    forOneOrMany(input, (texts) => fillAll(parts, texts, options))
  return fill as FillMask
}

async function fillAll(
  parts: Parts<MaskedLM>,
  texts: readonly string[],
  options: FillOptions,
): Promise<(Filled[] | Filled[][])[]> {
  const { model, tokenizer } = parts
  const { topK = 5 } = options
  const mask = tokenizer.maskTokenId
  if (mask === undefined) throw new HeedError('invalid-option', 'The tokenizer has no mask token')
  const encodings = encodeTexts(texts, parts, false)
  const places = encodings.map(({ ids }, i) =>
    masksIn(ids, mask, texts[i], tokenizer.idToToken(mask)),
  )
  return inBatches(
    encodings,
    parts,
    options,
    async ({ ids, options, rows, tokens }) => {
      // Only the logits of masks leave the device: all of them would be vast.
      const at = rows.flatMap((i, row) => places[i].map((place) => row * tokens + place))
      const values = await valuesOf(() =>
        model
          .forward(ids, options)
          .reshape(rows.length * tokens, model.vocabSize)
          .take(tensor(Int32Array.from(at)), 0),
      )
      return { values, at }
    },
    ({ values, at }, row, { ids }, { rows, tokens }) => {
      const own = places[rows[row]]
      const lists = own.map((place) => {
        const start = at.indexOf(row * tokens + place) * model.vocabSize
        const scores = softmax(values.subarray(start, start + model.vocabSize))
        return topIndices(scores, topK).map((token): Filled => {
          const sequence = tokenizer.decode(ids.with(place, token), {
            skipSpecialTokens: own.length === 1,
          })
          return { score: scores[token], token, token_str: tokenizer.decode([token]), sequence }
        })
      })
      return lists.length === 1 ? lists[0] : lists
    },
  )
}

function masksIn(ids: readonly number[], mask: number, text: string, name = ''): number[] {
  const places = ids.flatMap((id, i) => (id === mask ? [i] : []))
  if (places.length > 0) return places
  throw new HeedError(
    'invalid-option',
    `Nothing is masked in ${JSON.stringify(text.slice(0, 80))}`,
    {
      remedy: `Write ${name} where a word is to be guessed.`,
    },
  )
}
