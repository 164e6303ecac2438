import type { TypedArray } from '../graph/dtype.ts'

/**
 * What sampling and beam search drive, whatever the model: at each step every text of a batch, a row
 * each, gets one token more. V is the vocabulary.
 */
export interface StepModel {
  /** Begins these texts. Logits (rows, V) of the token that follows each. */
  start(prompts: readonly (readonly number[])[]): Promise<TypedArray>
  /**
   * Row r becomes what row order[r] was (without an order: row r), with tokens[r] behind it. Logits
   * (rows, V) of the token that follows each. The order serves beam search, where one text is
   * continued in several ways and another in none.
   */
  next(tokens: readonly number[], order?: readonly number[]): Promise<TypedArray>
}

/** The scores of one row. */
export function rowOf(logits: TypedArray, row: number, rows: number): TypedArray {
  const width = logits.length / rows
  return logits.subarray(row * width, (row + 1) * width)
}
