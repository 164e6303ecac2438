// The same draws on every device, whatever shape they are cut into.
import { expect, it } from 'vitest'
import * as g from '../../src/graph/build.ts'
import { manualSeed, rand, randn } from '../../src/index.ts'
import { ReferenceDevice } from '../../src/runtime/reference/device.ts'
import { cpuDevices } from '../support/devices.ts'
import { evaluate } from '../support/evaluate.ts'
import { expectAgreement } from './agreement.ts'

const shapes = [[], [1], [7], [3, 5], [2, 3, 17], [1000], [33, 65], [70_001], [0, 4]]

it.each(shapes.map((shape) => [shape]))('bits of shape (%s)', async (shape) => {
  for (const [seed, draw] of [
    [0, 0],
    [1, 4294967295],
    [4294967295, 7],
  ]) {
    const numbers = [g.scalar(seed, 'u32'), g.scalar(draw, 'u32')]
    await expectAgreement([g.make('random', numbers, { shape })])
  }
})

it.each(cpuDevices)('bits within larger kernels on $name', async ({ make }) => {
  const bits = g.make('random', [g.scalar(5, 'u32'), g.scalar(6, 'u32')], { shape: [40, 30] })
  const uniform = g.uniform([40, 30], g.scalar(5, 'u32'), g.scalar(6, 'u32'))
  const made = [
    g.permute(uniform, [1, 0]),
    g.reduce('amax', g.flip(uniform, [0]), [0]),
    g.reshape(g.narrow(uniform, 1, 3, 7), [7, 40]),
    g.binary('shr', bits, g.scalar(8, 'u32')),
    g.concat([uniform, g.flip(uniform, [1])], 1),
  ]
  const exact = new ReferenceDevice()
  const [wanted, found] = [await evaluate(made, exact), await evaluate(made, make())]
  found.forEach((values, i) => {
    expect([...values]).toEqual([...wanted[i]])
  })
})

it('uniform and normal numbers', async () => {
  manualSeed(12)
  await expectAgreement([rand([500]).node], { tolerance: 1e-7 })
  await expectAgreement([randn([64, 65]).node], { tolerance: 1e-6 })
})
