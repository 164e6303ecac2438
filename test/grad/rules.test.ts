import { describe, it } from 'vitest'
import { type Case, cases } from './cases.ts'
import { expectGradients } from './finite-differences.ts'

const tested = Object.entries(cases).filter(([, list]) => Array.isArray(list))

// Both the gradient and the gradient of the gradient, which also goes through the incoming one.
describe.each(tested as [string, Case[]][])('%s', (_, list) => {
  it.each([...list.entries()])('case %i', (_, make) => expectGradients(make(), 2))
})
