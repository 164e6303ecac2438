import { HeedError } from '../../util/errors.ts'

/** A text that is being written. */
export interface Text {
  /** The prompt's tokens and those written since. */
  readonly tokens: readonly number[]
  readonly promptLength: number
  /** How many tokens may be written, all together. */
  readonly maxTokens: number
}

/**
 * A rule about what may come next, as transformers' LogitsProcessor: it changes the scores (V) of the
 * next token in place. It depends on the text alone, so one serves all texts of a batch or search.
 */
export interface LogitsProcessor {
  process(scores: Float32Array, text: Text): void
  /** Whether the text is whole, so that nothing may come next. */
  ends?(text: Text): boolean
}

export const HIDDEN = Number.NEGATIVE_INFINITY

/** The scores that are left by all rules, in a copy. */
export function processed(
  scores: ArrayLike<number>,
  processors: readonly LogitsProcessor[],
  text: Text,
): ArrayLike<number> {
  if (processors.length === 0) return scores
  const copy = new Float32Array(scores)
  for (const processor of processors) processor.process(copy, text)
  return copy
}

/** Whether a rule says that the text is whole. */
export const isWhole = (processors: readonly LogitsProcessor[], text: Text): boolean =>
  processors.some((processor) => processor.ends?.(text))

/** Hides all scores but those of these tokens. */
export function keepOnly(scores: Float32Array, tokens: Iterable<number>): void {
  const kept = Array.from(tokens, (token) => [token, scores[token]])
  scores.fill(HIDDEN)
  for (const [token, score] of kept) scores[token] = score
}

export function checkWhole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new HeedError('invalid-option', `${name} ${value}: it is a whole number from ${least} on`)
}

export function checkTokens(name: string, tokens: readonly number[]): void {
  const wrong = tokens.find((token) => !Number.isSafeInteger(token) || token < 0)
  if (wrong !== undefined)
    throw new HeedError('invalid-option', `${name}: ${wrong} is not a token id`)
}
