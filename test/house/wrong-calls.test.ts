// Every exported function and class, called as plain JavaScript can call it: one clear error, never a foreign exception
// and never a silent result.
import { describe, expect, it } from 'vitest'
import * as heed from '../../src/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as optim from '../../src/optim/index.ts'
import { complaint, damaged, type Sample } from './wrong-calls/damage.ts'
import * as modules from './wrong-calls/modules.ts'
import * as tensors from './wrong-calls/tensors.ts'

describe.each<[string, readonly Sample[]]>([
  ['tensors', tensors.samples],
  ['modules and optimisers', modules.samples],
])('%s', (_, samples) => {
  it.each(samples)('$name', async ({ call, args }) => {
    await call(...(args.map(({ value }) => value) as never[])) // the call itself is right
    const complaints: string[] = []
    for (const { text, run } of damaged({ name: '', call, args })) {
      const what = await complaint(run)
      if (what) complaints.push(`${text}: ${what}`)
    }
    expect(complaints).toEqual([])
  })
})

describe('the table has every', () => {
  const functionsOf = (module: object): string[] =>
    Object.entries(module).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []))
  const answers = ['MultiheadAttention'] // names of PyTorch

  it('function and class of heed', () => {
    const known = [
      ...Object.keys(tensors.functions),
      ...Object.keys(tensors.classes_),
      ...tensors.withoutArguments,
      ...DEVICES_AND_ERRORS,
    ]
    expect(functionsOf(heed).filter((name) => !known.includes(name))).toEqual([])
  })

  it('function of F', () => {
    const known = Object.keys(tensors.functional)
    const own = functionsOf(heed.F).filter(
      (name) => !/_|^[a-z\d]+$/.test(name) || known.includes(name),
    )
    expect(own.filter((name) => !known.includes(name))).toEqual([])
  })

  it('method of tensors', () => {
    const known = [...Object.keys(tensors.methods), ...tensors.plainMethods]
    expect(methodsOf(heed.Tensor.prototype).filter((name) => !known.includes(name))).toEqual([])
  })

  it('function and class of heed/nn and heed/optim', () => {
    const known = [
      ...Object.keys(modules.functions),
      ...Object.keys(modules.constructors),
      ...modules.withoutArguments,
      ...modules.abstract_,
      ...answers,
    ]
    expect(functionsOf(nn).filter((name) => !known.includes(name))).toEqual([])
    const optimisers = [
      ...Object.keys(modules.optimFunctions),
      ...Object.keys(modules.optimConstructors),
      'Optimizer',
      'optimizerDefinitions',
    ]
    expect(functionsOf(optim).filter((name) => !optimisers.includes(name))).toEqual([])
  })
})

/** Devices check their options in their own tests; errors are made by Heed. */
const DEVICES_AND_ERRORS = [
  'CpuDevice',
  'HeedError',
  'OutOfMemoryError',
  'ReferenceDevice',
  'ShapeError',
  'StaleTensorError',
  'Tensor',
  'pipeline',
]

/** The public methods of a class and of those above it, without the names of PyTorch, which are writable answers. */
function methodsOf(prototype: object): string[] {
  const names: string[] = []
  for (
    let level = prototype;
    level && level !== Object.prototype;
    level = Object.getPrototypeOf(level)
  )
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level)))
      if (typeof value === 'function' && name !== 'constructor' && value.name === name)
        names.push(name)
  return names.filter((name) => !PRIVATE.includes(name))
}

const PRIVATE = ['binary', 'chosen', 'claim', 'cumulative', 'flatPlaces', 'floating', 'onLastAxis', 'ordered', 'reduce', 'scattered', 'triangle', 'unary'] // biome-ignore format: one line
