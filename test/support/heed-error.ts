import { expect } from 'vitest'
import type { ErrorCode } from '../../src/util/error-codes.ts'
import type { ErrorDetails } from '../../src/util/errors.ts'

/** Text that a message contains: one part, several in this order, or a pattern. */
export type Mentions = string | readonly string[] | RegExp

interface Expectation extends ErrorDetails {
  /** Data in the message: names, numbers, shapes, paths. Sentences are free to change. */
  readonly mentions?: Mentions
  /** Data in the remedy: names, options, commands. */
  readonly remedy?: Mentions
}

/**
 * Matches a HeedError by its code, the given details and the data in its texts:
 *
 *     expect(() => matmul(a, b)).toThrow(heedError('shape', { mentions: ['matmul', '(2, 3)', '(4, 5)'] }))
 */
export function heedError(code: ErrorCode, expectation: Expectation = {}) {
  const { mentions, remedy, ...details } = expectation
  return expect.objectContaining({
    code,
    details: expect.objectContaining(details), // an error of another kind has none
    ...(mentions !== undefined && { message: mentioning(mentions) }),
    ...(remedy !== undefined && { remedy: mentioning(remedy) }),
  })
}

function mentioning(mentions: Mentions) {
  if (typeof mentions === 'string') return expect.stringContaining(mentions)
  if (mentions instanceof RegExp) return expect.stringMatching(mentions)
  const parts = mentions.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return expect.stringMatching(new RegExp(parts.join('.*'), 's'))
}
