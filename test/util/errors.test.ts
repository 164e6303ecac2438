import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { grad, tensor } from '../../src/index.ts'

it('an uncaught error does not print the graph of a wrong tensor', () => {
  let error: unknown
  try {
    grad(tensor([1]) as never)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toMatchObject({ details: { key: 'f', expected: 'a function' } })
  const printed = inspect(error, { customInspect: false, depth: 10 })
  expect(printed).toContain('`f` must be a function, got a Tensor')
  expect(printed).not.toContain('node: ')
})
