import type { TypedArray } from '../graph/dtype.ts'
import { argumentKinds } from '../util/argument-kinds.ts'

/**
 * The interface of models for sampling and beam search. Each text of a batch is a row; each step appends a token to every
 * row. V is the size of the vocabulary.
 */
export interface StepModel {
  /** Starts texts. Returns the logits (rows, V) of the next tokens. */
  start(prompts: readonly (readonly number[])[]): Promise<TypedArray>
  /**
   * Replaces row r by row order[r] (default: r) followed by tokens[r]. Returns the logits (rows, V) of the next tokens.
   * Beam search uses `order` to continue one text in several ways and to drop others.
   */
  next(tokens: readonly number[], order?: readonly number[]): Promise<TypedArray>
}

/** Check the arguments of step models, for calls without types. */
export const checkStart = argumentKinds('start', { prompts: 'numberLists' })
export const checkNext = argumentKinds('next', { tokens: 'numbers', order: 'numbers?' })

/** The logits (V) of one row. */
export function rowOf(logits: TypedArray, row: number, rows: number): TypedArray {
  const width = logits.length / rows
  return logits.subarray(row * width, (row + 1) * width)
}
