import { expect, it } from 'vitest'
import { processError } from 'vitest/internal/browser'
import { HeedError, invalidOption, StaleTensorError } from '../../src/util/errors.ts'
import { heedError } from './heed-error.ts'

const invalid = () => {
  throw invalidOption({ key: 'heads', value: 3, expected: 'a divisor of `dim` (8)', try: { heads: [2, 4] } }) // biome-ignore format: one line
}
const failing = (error: unknown) => () => {
  throw error
}

it('matches code, details and data in the texts', async () => {
  expect(invalid).toThrow(heedError('invalid-option'))
  expect(invalid).toThrow(heedError('invalid-option', { key: 'heads', value: 3 }))
  expect(invalid).toThrow(heedError('invalid-option', { try: { heads: [2, 4] } }))
  expect(invalid).toThrow(heedError('invalid-option', { mentions: ['heads', '(8)', '3'] }))
  expect(invalid).toThrow(heedError('invalid-option', { mentions: /\bdim\b/, remedy: '4' }))
  await expect((async () => invalid())()).rejects.toThrow(heedError('invalid-option'))
  expect(failing(new StaleTensorError('x'))).toThrow(heedError('stale-tensor'))
  const tensor = new Map() // an instance is a hidden property of details
  const error = new HeedError('invalid-option', 'x', { value: tensor })
  expect(failing(error)).toThrow(heedError('invalid-option', { value: tensor }))
})

it.each([
  ['another code', invalid, heedError('shape')],
  ['another key', invalid, heedError('invalid-option', { key: 'dim' })],
  ['another value', invalid, heedError('invalid-option', { value: '3' })],
  ['a missing detail', failing(new HeedError('shape', 'heads')), heedError('shape', { key: 'heads' })],
  ['a missing value', failing(new HeedError('shape', 'heads')), heedError('shape', { value: undefined })],
  ['no such text', invalid, heedError('invalid-option', { mentions: 'layers' })],
  ['texts in another order', invalid, heedError('invalid-option', { mentions: ['(8)', 'heads'] })],
  ['a part as a pattern', invalid, heedError('invalid-option', { mentions: ['h.ads', '(8)'] })],
  ['no remedy', failing(new HeedError('shape', 'heads')), heedError('shape', { remedy: 'heads' })],
  ['an error with this code that is not a HeedError', failing(Object.assign(new Error('x'), { code: 'shape' })), heedError('shape')],
  ['a text', failing('shape'), heedError('shape')],
  ['no error', () => {}, heedError('shape')],
])('refuses %s', (_, run, expected) => {
  expect(() => expect(run).toThrow(expected)).toThrow(/expected (error|function)/)
}) // biome-ignore format: a table

it('shows code, details and message of another error', () => {
  const comparison = failed(() => expect(invalid).toThrow(heedError('shape', { key: 'dim' })))
  const { diff } = processError(comparison)
  for (const line of ['-   "code": "shape"', '+   "code": "invalid-option"', '-     "key": "dim"', '+     "key": "heads"', '+   "message": "`heads` must be'])
    expect(diff).toContain(line)
}) // biome-ignore format: a list

function failed(run: () => void): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('It did not fail.')
}
