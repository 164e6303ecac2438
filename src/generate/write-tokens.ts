import type { TypedArray } from '../graph/dtype.ts'
import { HeedError } from '../util/errors.ts'
import { isWhole, type LogitsProcessor, processed } from './processors/processor.ts'
import { createSampler, type SamplingOptions } from './sampling.ts'
import { rowOf, type StepModel } from './step-model.ts'

export interface WriteOptions extends SamplingOptions {
  /** Default 100. */
  maxTokens?: number
  /** Ends the text; these are not part of it. */
  stopTokens?: readonly number[]
  /** Rules about what may come next, in their order. */
  processors?: readonly LogitsProcessor[]
  signal?: AbortSignal
}

export interface Written {
  token: number
  /** What the model gave for this place, before any processor (V). */
  logits: TypedArray
}

/**
 * Goes on with several texts at once: at each step what each of them got, null once it has ended.
 * @param endsAfter whether a row's text ends with the token that it has just got
 */
export async function* writeTokens(
  model: StepModel,
  prompts: readonly (readonly number[])[],
  options: WriteOptions = {},
  endsAfter: (row: number, token: number) => boolean = () => false,
): AsyncGenerator<(Written | null)[], void, undefined> {
  const { maxTokens = 100, stopTokens = [], processors = [], signal, ...sampling } = options
  if (!(maxTokens >= 0))
    throw new HeedError('invalid-option', `maxTokens ${maxTokens}: it is 0 or more`)
  const stop = new Set(stopTokens)
  const seed = sampling.seed ?? Math.floor(Math.random() * 2 ** 32)
  const rows = prompts.map((prompt, row) => ({
    text: { tokens: [...prompt], promptLength: prompt.length, maxTokens },
    sampler: createSampler({ ...sampling, seed }, row),
    ended: false,
  }))
  let last: number[] = []
  for (let made = 0; made < maxTokens; made++) {
    signal?.throwIfAborted()
    const all = await (made === 0 ? model.start(prompts) : model.next(last))
    const written = rows.map((row, i): Written | null => {
      if (row.ended) return null
      const logits = rowOf(all, i, rows.length)
      const token = row.sampler.choose(processed(logits, processors, row.text))
      row.ended = stop.has(token)
      if (row.ended) return null
      row.text.tokens.push(token)
      row.ended = endsAfter(i, token) || isWhole(processors, row.text)
      return { token, logits }
    })
    if (written.every((one) => one === null)) return
    yield written
    if (rows.every((row) => row.ended)) return
    last = written.map((one) => one?.token ?? 0) // what an ended row gets is of no account
  }
}
