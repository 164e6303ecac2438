import type { TypedArray } from '../graph/dtype.ts'
import { argumentKinds } from '../util/argument-kinds.ts'

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

/** The arguments of a step model, in calls without types. */
export const checkStart = argumentKinds('start', { prompts: 'numberLists' })
export const checkNext = argumentKinds('next', { tokens: 'numbers', order: 'numbers?' })

/** The scores of one row. */
export function rowOf(logits: TypedArray, row: number, rows: number): TypedArray {
  const width = logits.length / rows
  return logits.subarray(row * width, (row + 1) * width)
}
