import type { TypedArray } from '../graph/dtype.ts'

/**
 * The interface that sampling and beam search use for any model: each step adds a token to every text of a batch, which
 * is a row. V is the vocabulary.
 */
export interface StepModel {
  /** Starts texts. Logits (rows, V) of the token after each. */
  start(prompts: readonly (readonly number[])[]): Promise<TypedArray>
  /**
   * Row r becomes row order[r] (by default r) followed by tokens[r]. Logits (rows, V) of the token after each. The order
   * is for beam search, which continues one text in several ways and drops another.
   */
  next(tokens: readonly number[], order?: readonly number[]): Promise<TypedArray>
}

/** The scores of one row. */
export function rowOf(logits: TypedArray, row: number, rows: number): TypedArray {
  const width = logits.length / rows
  return logits.subarray(row * width, (row + 1) * width)
}
