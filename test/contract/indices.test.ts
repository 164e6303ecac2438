// Look-ups and writes at run-time places: what does not exist is refused by name, on every device.
import { describe, expect, it } from 'vitest'
import * as g from '../../src/graph/build.ts'
import type { Node } from '../../src/graph/node.ts'
import { allDevices, onEach } from '../support/devices.ts'
import { evaluate } from '../support/evaluate.ts'
import { heedError, type Mentions } from '../support/heed-error.ts'

const numbers = (shape: number[]): Node => {
  const count = shape.reduce((n, size) => n * size, 1)
  return g.leaf(
    Float32Array.from({ length: count }, (_, i) => i),
    shape,
    'f32',
  )
}
const places = (...list: number[]): Node => g.leaf(Int32Array.from(list), [list.length], 'i32')
const attrs = { ignoreIndex: -100, labelSmoothing: 0 }

const impossible: [string, () => Node, Mentions][] = [
  [
    'take beyond the end',
    () => g.take(numbers([3, 2]), places(0, 3), 0),
    ['index 3', 'axis 0', 'size 3'],
  ],
  [
    'take before the start',
    () => g.take(numbers([3, 2]), places(-1), 1),
    ['index -1', 'axis 1', 'size 2'],
  ],
  ['take from nothing', () => g.take(numbers([0, 2]), places(0), 0), 'index 0'],
  [
    'scatterAdd beyond the end',
    () => g.scatter('scatterAdd', numbers([3]), places(0, 7), numbers([2]), 0),
    ['index 7', 'axis 0', 'size 3'],
  ],
  [
    'scatterSet before the start',
    () => g.scatter('scatterSet', numbers([2, 3]), places(-2), numbers([2, 1]), 1),
    ['index -2', 'axis 1', 'size 3'],
  ],
  [
    'sliceAt beyond the end',
    () => g.make('sliceAt', [numbers([5]), g.scalar(3, 'i32')], { axis: 0, size: 3 }),
    'axis 0',
  ],
  [
    'updateAt before the start',
    () => g.make('updateAt', [numbers([5]), numbers([2]), g.scalar(-1, 'i32')], { axis: 0 }),
    'axis 0',
  ],
  [
    'a class that is none',
    () => g.crossEntropy(numbers([2, 3]), places(0, 3), attrs)[0],
    /target 3|index 6/,
  ],
]

onEach(allDevices, (device) => {
  it.each(impossible)('refuses %s, and works afterwards', async (_, make, mentions) => {
    await expect(evaluate([make()], device())).rejects.toThrow(
      heedError('invalid-data', { mentions }),
    )
    const [sum] = await evaluate([g.sum(numbers([4]), [0])], device())
    expect(sum[0]).toBe(6)
  })

  describe('places that repeat', () => {
    it('add up in scatterAdd', async () => {
      const index = places(...Array.from({ length: 1000 }, (_, i) => i % 3))
      const ones = g.filled(1, [1000, 5])
      const [sums] = await evaluate(
        [g.scatter('scatterAdd', g.filled(0, [4, 5]), index, ones, 0)],
        device(),
      )
      expect([...sums]).toEqual([334, 333, 333, 0].flatMap((n) => new Array(5).fill(n)))
    })

    it('keep the last in scatterSet', async () => {
      const made = g.scatter('scatterSet', numbers([3]), places(1, 1, 1), numbers([3]), 0)
      expect([...(await evaluate([made], device()))[0]]).toEqual([0, 2, 2])
    })

    it('are taken as often as they are named', async () => {
      const taken = g.take(numbers([2, 3]), places(2, 0, 2, 2), 1)
      expect([...(await evaluate([taken], device()))[0]]).toEqual([2, 0, 2, 2, 5, 3, 5, 5])
    })
  })

  it('sorts ties in their order, both ways', async () => {
    const x = g.leaf(Float32Array.of(1, 0, 1, 0, 1), [5], 'f32')
    const up = g.pick(g.make('sort', [x], { axis: 0, descending: false }), 1)
    const down = g.pick(g.make('sort', [x], { axis: 0, descending: true }), 1)
    const top = g.pick(g.make('topk', [x], { axis: 0, k: 2, largest: true }), 1)
    const found = await evaluate([up, down, top], device())
    expect(found.map((row) => [...row])).toEqual([
      [1, 3, 0, 2, 4],
      [0, 2, 4, 1, 3],
      [0, 2],
    ])
  })
})
