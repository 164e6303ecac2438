import { checkArgument } from '../../util/check-argument.ts'
import { invalidOption } from '../../util/errors.ts'

/** A text that is being generated. */
export interface Text {
  /** The tokens of the prompt and the generated tokens. */
  readonly tokens: readonly number[]
  /** Number of tokens in the prompt. */
  readonly promptLength: number
  /** Maximum number of generated tokens. */
  readonly maxTokens: number
  /** Tokens that end the text. */
  readonly stopTokens?: readonly number[]
  /** The tokens that the encoder read. If omitted, the prompt is the source. */
  readonly source?: readonly number[]
}

/** The tokens of the source of a text. */
export const sourceOf = ({ source, tokens, promptLength }: Text): readonly number[] =>
  source ?? tokens.slice(0, promptLength)

/**
 * Changes the scores of the next token, like LogitsProcessor of transformers. It must depend only on the text, so that
 * all texts of a batch or beam search can share it.
 */
export interface LogitsProcessor {
  /** Changes the scores (V) in place. */
  process(scores: Float32Array, text: Text): void
  /** Whether the text is complete, so that no token may follow. */
  ends?(text: Text): boolean
}

export const HIDDEN = Number.NEGATIVE_INFINITY

/** A copy of the scores after all processors. */
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

/** Whether any processor declares the text complete. */
export const isComplete = (processors: readonly LogitsProcessor[], text: Text): boolean =>
  processors.some((processor) => processor.ends?.(text))

/** Hides all scores except those of `tokens`. */
export function keepOnly(scores: Float32Array, tokens: Iterable<number>): void {
  const kept = Array.from(tokens, (token) => [token, scores[token]])
  scores.fill(HIDDEN)
  for (const [token, score] of kept) scores[token] = score
}

export function checkWhole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw invalidOption({
      key: name,
      value,
      expected: `a whole number from ${least}`,
      remedy: `Use ${least} or more.`,
    })
}

/** An infinite limit is allowed: generation then runs until the text ends. */
export function checkMaxTokens(maxTokens: number): void {
  if (!(maxTokens >= 0))
    throw invalidOption({
      key: 'maxTokens',
      value: maxTokens,
      expected: '>= 0',
      try: { maxTokens: [100] },
    })
}

export function checkTokens(name: string, tokens: readonly number[]): void {
  checkArgument(name, 'tokens', tokens, 'numbers')
  const wrong = tokens.find((token) => !Number.isSafeInteger(token) || token < 0)
  if (wrong !== undefined)
    throw invalidOption({
      key: name,
      value: wrong,
      expected: 'token ids (whole numbers from 0)',
      remedy: 'Take the ids from the tokenizer.',
    })
}
