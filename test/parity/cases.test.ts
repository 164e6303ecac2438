// Every op that PyTorch computed: the same values, and the same gradients, on every device.
import { describe, expect, it } from 'vitest'
import { type DType, Parameter, realize, type Tensor, tensor, zeros } from '../../src/index.ts'
import { ReferenceDevice } from '../../src/runtime/reference/device.ts'
import { type Case, readCases, type Values } from '../fixtures/cases.ts'
import { allDevices, type Candidate, onEach } from '../support/devices.ts'
import { apply, covered } from './table.ts'

const exact: Candidate = {
  name: 'reference float64',
  make: () => new ReferenceDevice({ precision: 'float64' }),
}

const suites = {
  composites: await readCases('composites'),
  ops: await readCases('ops'),
  more_ops: await readCases('more_ops'),
  spatial: await readCases('spatial'),
  recurrent: await readCases('recurrent'),
}

// Of max |b|. PyTorch's own float32 is 2.4e-6 off where a norm's input lies far from 0.
const tolerances = { f64: 1e-12, f32: 5e-6 }

onEach([exact, ...allDevices], () => {
  describe.each(Object.entries(suites))('%s', (_topic, cases) => {
    it.each(cases)('$name', async (test) => {
      const { outputs, grads } = await compute(test)
      await realize([...outputs.values(), ...grads.values()])
      // Where sizes differ by many powers of ten, each element has to be right on its own.
      const apart = test.name.endsWith('.special')
      for (const [key, want] of Object.entries(test.output))
        await expectSame(key, outputs.get(key) as Tensor, want, apart)
      for (const [key, want] of Object.entries(test.grad))
        await expectSame(`the gradient of ${key}`, grads.get(key) as Tensor, want, apart)
    })
  })
})

it('every entry of the table has a case', () => {
  const ops = new Set(Object.values(suites).flatMap((cases) => cases.map(({ op }) => op)))
  expect(covered.filter((op) => !ops.has(op))).toEqual([])
})

async function compute({ op, args, input, output, upstream, grad }: Case) {
  const inputs = Object.fromEntries(
    Object.entries(input).map(([key, values]) => [key, given(values, key in grad)]),
  )
  const keys = Object.keys(output).sort()
  const results = await apply(op, inputs, args)
  expect(results).toHaveLength(keys.length)
  const outputs = new Map(results.map((y, i) => [keys[i], y]))
  for (const [key, values] of Object.entries(upstream)) outputs.get(key)?.backward(given(values))
  const grads = new Map(
    Object.keys(grad).map((key) => [key, inputs[key].grad ?? zeros(inputs[key].shape)]),
  )
  return { outputs, grads }
}

function given({ data, shape, dtype }: Values, wantsGrad = false): Tensor {
  const x = tensor(data as Float32Array, { shape, dtype: dtype as DType })
  return wantsGrad ? new Parameter(x) : x
}

/** |a - b| ≤ tolerance · max |b|; with `apart`, tolerance · |b|. What is not finite is the same. */
async function expectSame(what: string, got: Tensor, want: Values, apart: boolean): Promise<void> {
  expect(got.shape, what).toEqual(want.shape)
  expect(got.dtype, what).toBe(OURS[want.dtype])
  const values = await got.data()
  const double = values instanceof Float64Array
  const whole = got.dtype !== 'f32'
  const exactly = double || whole
  const wanted = exactly ? want.data : Float32Array.from(want.data) // beyond its range: infinity
  const tolerance = whole ? 0 : tolerances[double ? 'f64' : 'f32']
  const top = [...wanted].reduce(
    (max, x) => (Number.isFinite(x) ? Math.max(max, Math.abs(x)) : max),
    0,
  )
  const wrong = [...wanted.keys()].filter((i) => {
    const [a, b] = [values[i], wanted[i]]
    if (!Number.isFinite(b)) return !Object.is(a, b)
    const scale = apart ? Math.max(Math.abs(b), LEAST_NORMAL) : top
    return !(Math.abs(a - b) <= tolerance * scale)
  })
  const told = wrong.map((i) => `${i}: ${values[i]} where PyTorch has ${wanted[i]}`)
  expect(told, what).toEqual([])
}

/** float64 is what PyTorch computed in. */
const OURS = { f64: 'f32', f32: 'f32', i32: 'i32', i16: 'i32', bool: 'bool' }

/** Of float32. Below it, the last digits are rounded away. */
const LEAST_NORMAL = 2 ** -126
