import { describe, expect, it } from 'vitest'
import * as g from '../../src/graph/build.ts'
import { inScope, type Node } from '../../src/graph/node.ts'
import type { Composite } from '../../src/graph/ops.ts'
import { isLeaf, trace } from '../../src/runtime/trace.ts'
import { type Lowered, lower } from '../../src/schedule/lower.ts'
import { noise, variable } from '../support/evaluate.ts'

const none = {}

const lowered = (outputs: Node[], composites: Composite[] = []): Lowered =>
  lower(trace(outputs).nodes, outputs, isLeaf, new Set(composites))

const opsOf = ({ nodes }: Lowered): string[] => nodes.map((node) => node.op)
const countOf = (graph: Lowered, op: string): number =>
  opsOf(graph).filter((name) => name === op).length

describe('equal nodes', () => {
  it('become one', () => {
    const x = noise([3])
    const graph = lowered([g.add(g.exp(x), g.exp(x)), g.exp(x)])
    expect(opsOf(graph)).toEqual(['buffer', 'exp', 'add'])
    expect(graph.outputs[0].inputs).toEqual([graph.outputs[1], graph.outputs[1]])
  })

  it('stay apart when their attributes, inputs or order of inputs differ', () => {
    const [x, y] = [noise([3, 3]), noise([3, 3])]
    expect(countOf(lowered([g.sum(x, [0]), g.sum(x, [1])]), 'sum')).toBe(2)
    expect(countOf(lowered([g.exp(x), g.exp(y)]), 'exp')).toBe(2)
    expect(countOf(lowered([g.sub(x, y), g.sub(y, x)]), 'sub')).toBe(2)
  })

  it('stay apart behind a barrier, and as host code', () => {
    const x = noise([3])
    const twice = [g.exp(g.barrier(x, [])), g.exp(g.barrier(x, []))]
    expect(countOf(lowered(twice), 'exp')).toBe(2)
    const host = (): Node => g.make('hostCall', [x], { shape: [3], dtype: 'f32' })
    const calls = lowered([host(), host()])
    expect(countOf(calls, 'hostCall')).toBe(2)
    expect(calls.hosts.length).toBe(2)
  })

  it('with several outputs become one, each output once', () => {
    const x = noise([3])
    const sorted = (): Node[] => g.outputs(g.make('sort', [x], { axis: 0, descending: true }))
    const graph = lowered([...sorted(), ...sorted()])
    expect(opsOf(graph)).toEqual(['buffer', 'sort', 'pick', 'pick'])
    expect(graph.outputs[2]).toBe(graph.outputs[0])
  })

  it('of numbers: run-time numbers are all kept, literals of a decomposition merge', () => {
    const x = noise([3])
    const graph = lowered([g.add(g.scale(x, 0.5), g.scale(x, 0.5))])
    expect(graph.scalars.length).toBe(2)
    const twoGelus = lowered([
      g.make('gelu', [g.make('gelu', [x], { tanh: false })], { tanh: false }),
    ])
    expect(twoGelus.scalars).toEqual([])
    const literals = twoGelus.nodes.filter((node) => node.op === 'scalar').map((node) => node.value)
    expect(literals.sort()).toEqual([0.5, Math.SQRT1_2])
  })
})

describe('composites', () => {
  const x = noise([2, 3])

  it('that the device has are left whole', () => {
    const graph = lowered([g.make('softmax', [x], none)], ['softmax'])
    expect(opsOf(graph)).toEqual(['buffer', 'softmax'])
  })

  it('that it lacks are decomposed, with the scope of the node', () => {
    const y = inScope('h.1', () => g.make('softmax', [x], none))
    const graph = lowered([y])
    expect(opsOf(graph)).toEqual([
      'buffer',
      'amax',
      'reshape',
      'sub',
      'exp',
      'sum',
      'reshape',
      'div',
    ])
    expect(graph.nodes.slice(1).every((node) => node.scope === 'h.1')).toBe(true)
  })

  it('inside each other are decomposed all the way, and shared', () => {
    const gelu = (input: Node): Node => g.make('gelu', [input], { tanh: true })
    const graph = lowered([g.add(gelu(gelu(x)), gelu(gelu(x)))])
    expect(countOf(graph, 'gelu')).toBe(0)
    expect(countOf(graph, 'tanh')).toBe(2)
  })

  it('with several outputs lose those that nobody reads', () => {
    const outputs = g.outputs(g.make('layerNorm', [x, noise([3]), noise([3])], { eps: 1e-5 }))
    const all = lowered(outputs)
    const first = lowered(outputs.slice(0, 1))
    expect(first.outputs[0].op).toBe('add')
    expect(all.nodes.length - first.nodes.length).toBe(2) // mean and rstd in their own shape
  })
})

describe('what is not needed', () => {
  const x = noise([2, 3])

  it('vanishes: idle nodes and marks for gradients', () => {
    const tracked = variable([2, 3])
    const custom = g.make('customVjp', [g.stopGradient(g.exp(tracked)), tracked], none)
    expect(opsOf(lowered([custom]))).toEqual(['buffer', 'exp'])
    const all = [x, g.exp(x), g.log(x)]
    const graph = lower(all, [all[1]], isLeaf, new Set())
    expect(opsOf(graph)).toEqual(['buffer', 'exp'])
  })

  it('vanishes: + 0, - 0, · 1, / 1 and looks that change nothing', () => {
    const zero = g.constant(0)
    const one = g.constant(1)
    const same = [
      g.add(x, zero),
      g.add(zero, x),
      g.sub(x, zero),
      g.mul(one, x),
      g.div(x, one),
      g.alias(x),
    ]
    const graph = lowered(same)
    expect(graph.outputs).toEqual(same.map(() => graph.leaves[0]))
    const wider = lowered([g.add(g.constant(0), g.expand(x, [2, 2, 3]))])
    expect(wider.outputs[0].op).toBe('expand')
    expect(lowered([g.add(g.filled(0, [4, 2, 3]), x)]).outputs[0].op).toBe('add')
  })

  it('but assignments and host code stay, in order', () => {
    const first = g.make('assign', [x, g.exp(x)], none)
    const second = g.make('assign', [first, g.log(x)], none)
    const result = g.neg(x)
    const graph = lower(
      [x, first.inputs[1], first, second.inputs[1], second, result],
      [result],
      isLeaf,
      new Set(),
    )
    expect(opsOf(graph)).toEqual(['buffer', 'exp', 'assign', 'log', 'assign', 'neg'])
  })
})

it('keeps no contents: a lowered graph holds no arrays', () => {
  const x = noise([3])
  const graph = lowered([g.exp(x)])
  expect(graph.leaves[0].data).toBeNull()
  expect(graph.leaves.length).toBe(1)
})
