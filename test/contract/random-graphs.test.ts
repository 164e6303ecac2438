// Random graphs over random shapes, by property: chains of element-wise operations with shared nodes,
// views in front of kernels, reductions and joins behind. What scheduling may do to a graph, fuse it,
// write it in place or straight into a slice, must not show.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as g from '../../src/graph/build.ts'
import type { Node } from '../../src/graph/node.ts'
import type { Binary, Unary } from '../../src/graph/ops.ts'
import type { Shape } from '../../src/graph/shape.ts'
import { cpuDevices, onEach } from '../support/devices.ts'
import { evaluate, noise } from '../support/evaluate.ts'

const RUNS = 60
const TOLERANCE = 1e-4 // of the largest number: errors add up along a graph

const size = fc.constantFrom(1, 2, 3, 5, 17, 33, 65)
const shapes = fc.array(size, { minLength: 1, maxLength: 3 })
/** Choices of a graph: each step takes some of these numbers modulo what there is to choose from. */
const choices = fc.array(fc.nat(1000), { minLength: 12, maxLength: 90 })

const unary: Unary[] = ['neg', 'abs', 'exp', 'tanh', 'sigmoid', 'erf', 'sin', 'cos']
const binary: Binary[] = ['add', 'sub', 'mul', 'maximum', 'minimum']

/** Grows nodes from leaves; values stay small, because every step ends in tanh or a mean. */
function grow(shape: Shape, picks: number[]): Node[] {
  const nodes: Node[] = [noise(shape), noise(shape.slice(-1)), g.scalar(0.5)]
  for (let i = 0; i + 3 < picks.length; i += 4) {
    const [kind, a, b, c] = picks.slice(i, i + 4)
    const x = nodes[a % nodes.length]
    const y = nodes[b % nodes.length]
    nodes.push(g.tanh(step(kind % 9, x, y, c)))
  }
  const kept = nodes.slice(3)
  return kept.filter((_, i) => i >= kept.length - 3 || i % 4 === 0)
}

function step(kind: number, x: Node, y: Node, c: number): Node {
  const fits = x.shape.length === y.shape.length && x.shape.every((n, i) => n === y.shape[i])
  const last = x.shape.length - 1
  if (kind <= 2) return g.unary(unary[c % unary.length], x)
  if (kind <= 4 && (fits || y.shape.length === 0)) return g.binary(binary[c % binary.length], x, y)
  if (last < 0) return g.square(x)
  if (kind === 5) return g.mean(x, [c % x.shape.length], true)
  if (kind === 6) return g.concat([x, g.flip(x, [last]), g.mul(x, x)], c % x.shape.length)
  if (kind === 7) return g.permute(x, reversed(x.shape))
  const half = Math.ceil(x.shape[last] / 2)
  const part = g.narrow(x, last, x.shape[last] - half, half)
  return x.shape.length > 1 ? g.matmul(part, g.transpose(part)) : g.pad(part, [1], [2])
}

const reversed = (shape: Shape): number[] => shape.map((_, i) => shape.length - 1 - i)

onEach(cpuDevices, (device) => {
  describe('random graphs', () => {
    it('give what the reference gives', async () => {
      await fc.assert(
        fc.asyncProperty(shapes, choices, async (shape, picks) => {
          const outputs = grow(shape, picks)
          const [want, got] = [await evaluate(outputs), await evaluate(outputs, device())]
          outputs.forEach((_, i) => {
            const scale = Math.max(1e-3, ...want[i].map(Math.abs))
            got[i].forEach((value, j) => {
              const error = Math.abs(value - want[i][j]) / scale
              if (!(error <= TOLERANCE)) expect(value, `output ${i}, element ${j}`).toBe(want[i][j])
            })
          })
        }),
        { numRuns: RUNS, seed: 5 },
      )
    })
  })
})
