// Attention of awkward sizes with every combination of options, forward and backward.
import { describe, expect, it } from 'vitest'
import * as g from '../../src/graph/build.ts'
import type { Node } from '../../src/graph/node.ts'
import { cpuDevices } from '../support/devices.ts'
import { evaluate } from '../support/evaluate.ts'
import { expectAgreementWithGradients } from './agreement.ts'
import { property, type Sampler } from './sampler.ts'

const lengths = [1, 2, 3, 17, 63, 65, 130]
const widths = [1, 8, 16, 33, 64]
const how = { tolerance: 2e-5, floor: 3 }

interface Choice {
  t: number
  s: number
  d: number
  dv: number
  layout: 'plain' | 'heads' | 'any'
}

/** (B, H, T, D), as it stands or as a split of heads leaves it. */
function heads(draw: Sampler, shape: number[], layout: Choice['layout']): Node {
  const [b, h, t, d] = shape
  if (layout === 'plain') return draw.leaf(shape)
  if (layout === 'any') return draw.operand(shape)
  return g.permute(g.reshape(draw.leaf([b, t, h * d]), [b, t, h, d]), [0, 2, 1, 3])
}

function attend(draw: Sampler, { t, s, d, dv, layout }: Choice): { outputs: Node[]; wrt: Node[] } {
  const [b, hk, groups] = [draw.whole(1, 2), draw.whole(1, 2), draw.whole(1, 3)]
  const h = hk * groups
  const q = heads(draw, [b, h, t, d], layout)
  const k = heads(draw, [b, hk, s, d], layout)
  const v = heads(draw, [b, hk, s, dv], layout)
  const scores = [b, h, t, s]
  const dropout = draw.chance(0.3) ? draw.one([0.1, 0.5]) : 0
  const [out, lse] = g.attention(
    {
      q,
      k,
      v,
      bias: draw.chance(0.3) ? draw.operand(draw.broadcastable(scores)) : undefined,
      mask: draw.chance(0.3) ? draw.operand(draw.broadcastable(scores), 'bool', 0, 1) : undefined,
      length: draw.chance(0.3)
        ? g.scalar(draw.whole(draw.chance(0.1) ? 0 : 1, s), 'i32')
        : undefined,
      seed: dropout ? g.scalar(draw.whole(0, 99), 'u32') : undefined,
      draw: dropout ? g.scalar(draw.whole(0, 99), 'u32') : undefined,
    },
    { causal: draw.chance(), dropout, scale: draw.chance(0.2) ? 0.5 : undefined },
  )
  // As models do it: the heads are put side by side again.
  const joined = g.reshape(g.permute(out, [0, 2, 1, 3]), [b, t, h * dv])
  const outputs = draw.one([[out], [joined], [out, lse]])
  // A row that sees nothing has a log-sum-exp of -inf: it has no use for a gradient.
  return { outputs, wrt: draw.leaves }
}

describe('attention', () => {
  it('of small sizes with any options', () =>
    property(120, async (draw) => {
      const small = lengths.slice(0, 4)
      const [d, dv] = [draw.one(widths.slice(0, 3)), draw.one(widths.slice(0, 3))]
      const layout = draw.one(['plain', 'heads', 'any'] as const)
      const choice = { t: draw.one(small), s: draw.one(small), d, dv, layout }
      const { outputs, wrt } = attend(draw, choice)
      await expectAgreementWithGradients(outputs.slice(0, 1), wrt, how)
      await expectAgreementWithGradients(outputs, [], how)
    })())

  it('of large sizes with any options', () =>
    property(25, async (draw) => {
      const d = draw.one(widths)
      const layout = draw.one(['plain', 'heads'] as const)
      const choice = { t: draw.one(lengths), s: draw.one(lengths), d, dv: d, layout }
      const { outputs, wrt } = attend(draw, choice)
      await expectAgreementWithGradients(outputs.slice(0, 1), wrt, how)
    })())

  it.each(cpuDevices)(
    'drops the same probabilities on $name as the reference',
    async ({ make }) => {
      const [t, s] = [5, 70]
      const eye = Float32Array.from({ length: s * s }, (_, i) => Number(i % (s + 1) === 0))
      const zeros = (rows: number): Node => g.filled(0, [1, 2, rows, 4])
      const v = g.expand(g.leaf(eye, [1, 1, s, s], 'f32'), [1, 2, s, s])
      const [seed, draw] = [g.scalar(11, 'u32'), g.scalar(3, 'u32')]
      const inputs = { q: zeros(t), k: zeros(s), v, seed, draw }
      const [out] = g.attention(inputs, { dropout: 0.4 }) // the probabilities themselves
      const [wanted, found] = [await evaluate([out]), await evaluate([out], make())]
      expect([...found[0]].map((p) => p > 0)).toEqual([...wanted[0]].map((p) => p > 0))
    },
  )
})
