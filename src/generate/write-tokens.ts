import type { TypedArray } from '../graph/dtype.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { type OptionKinds, optionKinds } from '../util/options.ts'
import {
  checkMaxTokens,
  isComplete,
  type LogitsProcessor,
  processed,
} from './processors/processor.ts'
import { createSampler, SAMPLING, type SamplingOptions } from './sampling.ts'
import { rowOf, type StepModel } from './step-model.ts'

/** Options of `writeTokens`. */
export interface WriteOptions extends SamplingOptions {
  /** Maximum number of new tokens. Default 100. */
  maxTokens?: number
  /** Tokens that end the text; they are not included in it. */
  stopTokens?: readonly number[]
  /** Logits processors, in the order of their application. */
  processors?: readonly LogitsProcessor[]
  /** Aborting it throws its reason. */
  signal?: AbortSignal
}

export const WRITING: OptionKinds<WriteOptions> = {
  ...SAMPLING,
  maxTokens: 'number?',
  stopTokens: 'numbers?',
  processors: 'list?',
  signal: 'object?',
}
const CONTEXT = optionKinds<WriteContext>({ sources: 'list?', endsAfter: 'function?' })
const checkCall = argumentKinds('writeTokens', {
  model: 'stepModel',
  prompts: 'numberLists',
  options: optionKinds<WriteOptions>(WRITING),
  context: CONTEXT,
})

/** A generated token. */
export interface Written {
  /** Id of the token. */
  token: number
  /** The logits of the model (V), before any processor. */
  logits: TypedArray
}

/** Further context of `writeTokens`. */
export interface WriteContext {
  /** The tokens that the encoder read for each text. Omit them for decoder-only models. */
  sources?: readonly (readonly number[])[]
  /** Returns whether the text of a row ends after this token. */
  endsAfter?: (row: number, token: number) => boolean
}

/**
 * Continues several texts in one batch. Each step yields a token for each text; null for texts that have ended.
 * @throws HeedError for options out of range
 */
export async function* writeTokens(
  model: StepModel,
  prompts: readonly (readonly number[])[],
  options: WriteOptions = {},
  context: WriteContext = {},
): AsyncGenerator<(Written | null)[], void, undefined> {
  checkCall(model, prompts, options, context)
  const { sources, endsAfter = () => false } = context
  const { maxTokens = 100, stopTokens = [], processors = [], signal, ...sampling } = options
  checkMaxTokens(maxTokens)
  const stop = new Set(stopTokens)
  const seed = sampling.seed ?? Math.floor(Math.random() * 2 ** 32)
  const rows = prompts.map((prompt, row) => ({
    text: {
      tokens: [...prompt],
      promptLength: prompt.length,
      maxTokens,
      stopTokens,
      source: sources?.[row],
    },
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
      row.ended = endsAfter(i, token) || isComplete(processors, row.text)
      return { token, logits }
    })
    if (written.every((token) => token === null)) return
    yield written
    if (rows.every((row) => row.ended)) return
    last = written.map((row) => row?.token ?? 0) // the results of ended rows are ignored
  }
}
