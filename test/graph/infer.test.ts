import { describe, expect, it } from 'vitest'
import * as g from '../../src/graph/build.ts'
import type { DType } from '../../src/graph/dtype.ts'
import { inScope, type Node, untracked } from '../../src/graph/node.ts'
import type { Shape } from '../../src/graph/shape.ts'
import { ShapeError } from '../../src/util/errors.ts'
import { variable } from '../support/evaluate.ts'
import { heedError, type Mentions } from '../support/heed-error.ts'

const of = (shape: Shape, dtype: DType = 'f32'): Node => g.make('buffer', [], { shape, dtype })
const none = {}

describe('shapes', () => {
  it.each<[string, () => Node, Shape, DType]>([
    ['broadcasting', () => g.add(of([2, 1, 3]), of([4, 1])), [2, 4, 3], 'f32'],
    ['comparison', () => g.binary('lt', of([2]), of([])), [2], 'bool'],
    ['where', () => g.where(of([2, 1], 'bool'), of([3], 'i32'), of([], 'i32')), [2, 3], 'i32'],
    ['reduction', () => g.reduce('sum', of([2, 3, 4], 'i32'), [0, 2]), [3], 'i32'],
    ['kept axes', () => g.reduce('amax', of([2, 3, 4]), [0, 2], true), [1, 3, 1], 'f32'],
    ['argmax', () => g.reduce('argmax', of([2, 3]), [0]), [3], 'i32'],
    ['matmul', () => g.matmul(of([2, 1, 3, 4]), of([5, 4, 6])), [2, 5, 3, 6], 'f32'],
    ['take', () => g.take(of([2, 3, 4], 'u8'), of([5, 6], 'i32'), 1), [2, 5, 6, 4], 'u8'],
    ['concat', () => g.concat([of([2, 3]), of([2, 0]), of([2, 1])], 1), [2, 4], 'f32'],
    ['pad', () => g.pad(of([2, 3]), [1, 0], [0, 2]), [3, 5], 'f32'],
    ['permute', () => g.permute(of([2, 3, 4]), [2, 0, 1]), [4, 2, 3], 'f32'],
    ['random bits', () => g.make('random', [], { shape: [2] }), [2], 'u32'],
  ])('of %s', (_, build, shape, dtype) => {
    const node = build()
    expect(node.shape).toEqual(shape)
    expect(node.dtype).toBe(dtype)
  })

  it('of windows count the positions where the whole kernel fits', () => {
    const attrs = { kernel: [3, 2], stride: [2, 1], dilation: [1, 2] }
    expect(g.make('window', [of([5, 8, 4])], attrs).shape).toEqual([5, 3, 2, 3, 2])
  })

  it('of several outputs are those of its picks', () => {
    const [values, indices] = g.outputs(
      g.make('topk', [of([2, 9])], { axis: 1, k: 3, largest: true }),
    )
    expect([values.shape, values.dtype]).toEqual([[2, 3], 'f32'])
    expect([indices.shape, indices.dtype]).toEqual([[2, 3], 'i32'])
    const layerNorm = g.make('layerNorm', [of([2, 3]), of([3]), of([3])], { eps: 1e-5 })
    expect(g.outputs(layerNorm).map((x) => x.shape)).toEqual([[2, 3], [2], [2]])
  })
})

describe('what does not fit is told with its shapes', () => {
  const attention = (q: Shape, k: Shape, v: Shape): Node[] =>
    g.attention({ q: of(q), k: of(k), v: of(v) })

  it.each<[() => unknown, Mentions]>([
    [() => g.add(of([2, 3]), of([4])), ['add', '(2, 3)', '(4)']],
    [() => g.add(of([2]), of([2], 'i32')), ['add', 'got f32', 'i32']],
    [() => g.exp(of([2], 'i32')), ['exp', 'f32', 'got i32']],
    [() => g.unary('not', of([2])), ['not', 'bool', 'got f32']],
    [() => g.binary('and', of([2]), of([2])), ['bitwise and', 'bool', 'got f32']],
    [() => g.binary('shl', of([2]), of([2])), ['shift left', 'got f32']],
    [() => g.make('bitcast', [of([2])], { dtype: 'u8' }), ['bitcast', 'got f32', 'u8']],
    [() => g.where(of([2]), of([2]), of([2])), ['where', 'bool', 'got f32']],
    [() => g.reshape(of([2, 3]), [4]), ['reshape', '(4)', '6 elements', '(2, 3)', 'got 4']],
    [() => g.expand(of([2, 3]), [1, 3]), ['expand', '(1, 3)', '(2, 3)']],
    [() => g.expand(of([2, 3]), [4, 3]), ['expand', '(2, 3)', '(4, 3)']],
    [
      () => g.make('window', [of([4])], { kernel: [3], stride: [1], dilation: [2] }),
      ['window', 'size 4', 'kernel 3', 'dilation 2'],
    ],
    [
      () => g.make('window', [of([4])], { kernel: [1, 1], stride: [1, 1], dilation: [1, 1] }),
      ['window', '2 or more', '(4)'],
    ],
    [() => g.matmul(of([2, 3]), of([4, 5])), ['matmul', '(2, 3) x (4, 5)']],
    [() => g.matmul(of([2, 3], 'i32'), of([3, 5], 'i32')), ['matmul', 'f32', 'got i32', 'i32']],
    [() => g.matmul(of([2, 1, 3]), of([3, 3, 5])), ['matmul', '(2) and (3)']],
    [() => g.concat([of([2, 3]), of([3, 3])], 1), ['concat', 'axis 1', '(2, 3) f32', '(3, 3) f32']],
    [() => g.concat([of([2]), of([2], 'i32')], 0), ['concat', 'axis 0', '(2) f32', '(2) i32']],
    [() => g.take(of([2]), of([1]), 0), ['take', 'i32', 'got f32']],
    [
      () => g.scatter('scatterAdd', of([4, 2]), of([3], 'i32'), of([3, 3]), 0),
      ['scatterAdd', '(3, 2)', '(3, 3)'],
    ],
    [() => g.scatter('scatterSet', of([4]), of([3]), of([3]), 0), ['scatterSet', 'i32', 'got f32']],
    [
      () => g.scatter('scatterAdd', of([4]), of([3], 'i32'), of([3], 'i32'), 0),
      ['scatterAdd', 'got f32', 'i32'],
    ],
    [
      () => g.make('updateAt', [of([4, 2]), of([5, 2]), of([], 'i32')], { axis: 0 }),
      ['updateAt', '(4, 2) f32', 'axis 0', '(5, 2) f32'],
    ],
    [() => g.make('assign', [of([2]), of([3])], none), ['assign', '(2) f32', '(3) f32']],
    [
      () => g.make('assignAt', [of([4, 2]), of([1, 3]), of([], 'i32')], { axis: 0 }),
      ['assign', '(4, 2) f32', 'axis 0', '(1, 3) f32'],
    ],
    [() => g.make('softmax', [of([2], 'i32')], none), ['softmax', 'f32', 'got i32']],
    [
      () => g.make('rmsNorm', [of([2, 3]), of([2])], { eps: 0 }),
      ['rmsNorm', '(3)', '(2)', '(2, 3)'],
    ],
    [
      () => g.crossEntropy(of([2, 3]), of([3], 'i32'), { ignoreIndex: -100, labelSmoothing: 0 }),
      ['crossEntropy', '(2, 3)', '(3)'],
    ],
    [
      () => g.crossEntropy(of([2, 3]), of([2]), { ignoreIndex: -100, labelSmoothing: 0 }),
      ['crossEntropy', 'i32', 'f32 and f32'],
    ],
    [
      () => attention([1, 3, 2, 4], [1, 2, 2, 4], [1, 2, 2, 4]),
      ['attention', '(1, 3, 2, 4)', '(1, 2, 2, 4)', '(1, 2, 2, 4)'],
    ],
    [() => attention([1, 2, 2, 4], [1, 2, 2, 5], [1, 2, 2, 5]), ['attention', '(1, 2, 2, 5)']],
    [() => attention([1, 2, 2, 4], [1, 2, 2, 4], [1, 2, 3, 4]), ['attention', '(1, 2, 3, 4)']],
    [
      () =>
        g.attention({
          q: of([1, 1, 2, 2]),
          k: of([1, 1, 2, 2]),
          v: of([1, 1, 2, 2]),
          mask: of([2, 2]),
        }),
      ['attention', 'bool', 'f32, f32, f32, f32'],
    ],
  ])('%#', (build, mentions) => {
    expect(build).toThrow(ShapeError)
    expect(build).toThrow(heedError('shape', { mentions }))
  })

  it('and with the path of the module that did it', () => {
    const build = (): Node => inScope('h.3.attn', () => g.matmul(of([2, 3]), of([4, 5])))
    expect(build).toThrow(
      heedError('shape', { mentions: ['h.3.attn', 'matmul', '(2, 3) x (4, 5)'] }),
    )
  })
})

describe('tracking', () => {
  it('follows f32 values, and ends at integers, comparisons and stopGradient', () => {
    const x = variable([2])
    expect(g.exp(x).tracked).toBe(true)
    expect(g.exp(of([2])).tracked).toBe(false)
    expect(g.binary('lt', x, x).tracked).toBe(false)
    expect(g.cast(g.cast(x, 'i32'), 'f32').tracked).toBe(false)
    expect(g.stopGradient(x).tracked).toBe(false)
    const [values, indices] = g.outputs(g.make('sort', [x], { axis: 0, descending: false }))
    expect([values.tracked, indices.tracked]).toEqual([true, false])
  })

  it('is off inside `untracked`, also after an error in there', () => {
    const x = variable([2])
    expect(untracked(() => g.exp(x)).tracked).toBe(false)
    expect(() => untracked(() => g.add(x, of([3])))).toThrow(ShapeError)
    expect(g.exp(x).tracked).toBe(true)
  })
})

describe('signatures', () => {
  it('are equal for equal structure alone', () => {
    const x = of([2, 3])
    const sum = (axes: number[]): number => g.reduce('sum', x, axes).signature
    expect(sum([0])).toBe(sum([0]))
    expect(sum([0])).not.toBe(sum([1]))
    expect(g.scalar(1).signature).toBe(g.scalar(2).signature)
    expect(g.constant(1).signature).not.toBe(g.constant(0).signature)
    expect(g.constant(1).signature).not.toBe(g.constant(1, 'i32').signature)
    expect(g.exp(of([2, 3])).signature).not.toBe(g.exp(of([3, 2])).signature)
  })
})
