import { describe, expect, it } from 'vitest'
import { manualSeed, Parameter, rand, type Tensor, tensor } from '../../src/index.ts'
import { SGD } from '../../src/optim/index.ts'
import { loadAddon } from '../../src/runtime/cpu/addon.ts'
import { onEach, oneOfEach } from '../support/devices.ts'
import { runScript } from '../support/run-script.ts'

/** A little model and its loop: the losses of ten steps. */
function training(seed: number): { step: () => Promise<number> } {
  manualSeed(seed)
  const w = new Parameter(rand([4, 4]))
  const x = tensor(
    Float32Array.from({ length: 12 }, (_, i) => Math.sin(i + seed)),
    { shape: [3, 4] },
  )
  const optimizer = new SGD([w], { lr: 0.1 })
  const step = async (): Promise<number> => {
    const loss: Tensor = x.matmul(w).tanh().sub(0.5).square().mean()
    loss.backward()
    await optimizer.step()
    return loss.item()
  }
  return { step }
}

const losses = async (loop: { step: () => Promise<number> }, count = 10): Promise<number[]> => {
  const out: number[] = []
  for (let i = 0; i < count; i++) out.push(await loop.step())
  return out
}

onEach(oneOfEach, () => {
  describe('several at once', () => {
    it('two models in one process do not touch each other', async () => {
      const alone = [await losses(training(1)), await losses(training(2))]
      const [a, b] = [training(1), training(2)]
      const together: number[][] = [[], []]
      for (let i = 0; i < 10; i++) {
        together[0].push(await a.step())
        together[1].push(await b.step())
      }
      expect(together).toEqual(alone)
    })

    it('two loops that run at the same time neither', async () => {
      const alone = [await losses(training(3)), await losses(training(4))]
      const [a, b] = [training(3), training(4)]
      expect(await Promise.all([losses(a), losses(b)])).toEqual(alone)
    })
  })
})

describe.skipIf(!loadAddon().addon)('a worker', () => {
  it('can be terminated in the middle of a run, and the others go on', async () => {
    expect(await runScript('test/support/terminate-worker.ts')).toContain('survived 3')
  })
})
