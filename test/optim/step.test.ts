import { describe, expect, it } from 'vitest'
import {
  accumulate,
  hold,
  manualSeed,
  Parameter,
  rand,
  stats,
  type Tensor,
  tensor,
} from '../../src/index.ts'
import { Linear, MLP } from '../../src/nn/index.ts'
import {
  AdamW,
  clipGradNorm,
  constant,
  decayGroups,
  inverseSqrt,
  LRScheduler,
  SGD,
} from '../../src/optim/index.ts'
import { allDevices, onEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const list = async (x: Tensor): Promise<number[]> => [...(await x.data())]

/** XOR, which one hidden layer learns. */
const inputs = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]
const targets = [[0], [1], [1], [0]]
const makeModel = (seed = 1): MLP => {
  manualSeed(seed)
  return new MLP({ sizes: [2, 8, 1], activation: 'tanh' })
}
const lossOf = (model: MLP): Tensor =>
  model.forward(tensor(inputs)).sub(tensor(targets)).square().mean()

onEach(allDevices, () => {
  describe('step', () => {
    it('trains, and compiles once', async () => {
      const model = makeModel()
      const optimizer = new AdamW(model.parameters(), { lr: 0.05, maxGradNorm: 1 })
      let compiled = 0
      let last = 1
      for (let step = 0; step < 150; step++) {
        const loss = lossOf(model)
        loss.backward()
        await optimizer.step()
        last = await loss.item()
        if (step === 0) compiled = stats().compilations
        optimizer.groups[0].lr *= 0.999
      }
      expect(last).toBeLessThan(0.01)
      expect(stats().compilations).toBe(compiled)
      expect(model.parameters().every((p) => p.grad === null && p.gradRoots.length === 0)).toBe(
        true,
      )
    })

    it('says when there is no gradient', async () => {
      const optimizer = new SGD(makeModel().parameters())
      await expect(optimizer.step()).rejects.toThrow(
        heedError('invalid-state', { mentions: 'gradient', remedy: 'loss.backward()' }),
      )
    })

    it('lets the graph go', async () => {
      const model = makeModel()
      const optimizer = new SGD(model.parameters())
      const loss = lossOf(model)
      loss.backward()
      await optimizer.step()
      expect(loss.node.inputs).toEqual([])
      expect(() => loss.mul(2).backward()).toThrow(
        heedError('invalid-state', { mentions: ['backward()', 'div'] }),
      )
    })

    it('skips frozen parameters, and those without a gradient', async () => {
      const model = makeModel()
      model.freeze('layers.0')
      const before = await Promise.all(model.parameters().map(list))
      const optimizer = new AdamW(model.parameters())
      lossOf(model).backward()
      await optimizer.step()
      const after = await Promise.all(model.parameters().map(list))
      expect(after[0]).toEqual(before[0])
      expect(after[2]).not.toEqual(before[2])
      expect(Object.keys(optimizer.stateDict(model.namedParameters()).tensors)).toHaveLength(4)
    })

    it('accumulates over 8 micro-batches with the compilations of one', async () => {
      const model = makeModel()
      const optimizer = new AdamW(model.parameters(), { lr: 0.01, maxGradNorm: 0.5 })
      const steps = async (micro: number): Promise<number> => {
        const before = stats().compilations
        for (let step = 0; step < 2; step++) {
          for (let i = 0; i < micro; i++) await accumulate(lossOf(model).div(micro))
          await optimizer.step()
        }
        return stats().compilations - before
      }
      expect(await steps(2)).toBeGreaterThan(0) // not 1: a division by it is no operation
      expect(await steps(8)).toBe(0)
      expect(await list(model.parameters()[0].grad as Tensor)).toEqual(new Array(16).fill(0))

      const twin = makeModel()
      const plain = new AdamW(twin.parameters(), { lr: 0.01, maxGradNorm: 0.5 })
      for (let step = 0; step < 4; step++) {
        lossOf(twin).backward()
        await plain.step()
      }
      const [a, b] = [await list(model.parameters()[0]), await list(twin.parameters()[0])]
      for (const [i, x] of a.entries()) expect(x).toBeCloseTo(b[i], 5)
    })

    it('clears gradients', async () => {
      const model = makeModel()
      const optimizer = new SGD(model.parameters())
      lossOf(model).backward()
      optimizer.zeroGrad()
      expect(model.parameters().every((p) => p.grad === null)).toBe(true)
      await accumulate(lossOf(model))
      optimizer.zeroGrad()
      expect(await list(model.parameters()[2].grad as Tensor)).toEqual(new Array(8).fill(0))
    })
  })

  describe('gradient norms', () => {
    it('are clipped alike inside the optimiser and before it', async () => {
      const run = async (inside: boolean): Promise<{ norm: number; weights: number[] }> => {
        const model = makeModel()
        const optimizer = new SGD(model.parameters(), {
          lr: 0.1,
          maxGradNorm: inside ? 0.05 : null,
        })
        lossOf(model).backward()
        const norm = inside ? null : clipGradNorm(model.parameters(), 0.05)
        await optimizer.step({ keep: norm ? [norm] : [] })
        const found = norm ?? (optimizer.gradNorm as Tensor)
        return { norm: await found.item(), weights: await list(model.parameters()[0]) }
      }
      const [a, b] = [await run(true), await run(false)]
      expect(a.norm).toBeGreaterThan(0.05)
      expect(a).toEqual(b)
    })

    it('are told without clipping when the limit is infinite', async () => {
      const run = async (maxGradNorm: number | null): Promise<number[]> => {
        const model = makeModel()
        const optimizer = new AdamW(model.parameters(), { maxGradNorm })
        lossOf(model).backward()
        await optimizer.step()
        if (maxGradNorm) expect(await (optimizer.gradNorm as Tensor).item()).toBeGreaterThan(0)
        return list(model.parameters()[0])
      }
      expect(await run(Number.POSITIVE_INFINITY)).toEqual(await run(null))
    })
  })

  describe('a held step', () => {
    it('reads the learning rate and the step count at each run', async () => {
      const run = async (held: boolean): Promise<number[]> => {
        const model = makeModel()
        const optimizer = new AdamW(decayGroups(model, 0.1), { lr: 0.05, maxGradNorm: 1 })
        const scheduler = new LRScheduler(optimizer, constant({ warmup: 3 }))
        scheduler.step()
        const program = hold(() => {
          const loss = lossOf(model)
          loss.backward()
          optimizer.update()
          return [loss]
        })
        for (let step = 0; step < 6; step++) {
          if (held) {
            optimizer.beginStep()
            await program()
          } else {
            lossOf(model).backward()
            await optimizer.step()
          }
          scheduler.step()
        }
        return list(model.parameters()[0])
      }
      expect(await run(true)).toEqual(await run(false))
    })
  })

  describe('saved state', () => {
    it('goes on as if nothing had happened, bit for bit', async () => {
      const train = async (model: MLP, optimizer: AdamW, steps: number): Promise<void> => {
        for (let step = 0; step < steps; step++) {
          lossOf(model).backward()
          await optimizer.step()
        }
      }
      const whole = makeModel()
      await train(whole, new AdamW(whole.parameters()), 6)

      const first = makeModel()
      const optimizer = new AdamW(first.parameters())
      await train(first, optimizer, 3)
      const { step, tensors } = optimizer.stateDict(first.namedParameters())
      const saved: Record<string, Tensor> = {}
      for (const [name, t] of Object.entries(tensors))
        saved[name] = tensor(await t.data(), { shape: t.shape })
      const second = makeModel(9)
      second.loadStateDict(first.stateDict())
      const resumed = new AdamW(second.parameters())
      resumed.loadStateDict({ step, tensors: saved }, second.namedParameters())
      await train(second, resumed, 3)
      for (const [i, parameter] of second.parameters().entries())
        expect(await list(parameter)).toEqual(await list(whole.parameters()[i]))
    })

    it('can be loaded into programs that are held already', async () => {
      const model = makeModel()
      const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
      const program = hold(() => {
        const loss = lossOf(model)
        loss.backward()
        optimizer.update()
        return [loss]
      })
      const read = async (tensors: Record<string, Tensor>): Promise<Record<string, Tensor>> => {
        const copies: Record<string, Tensor> = {}
        for (const [name, t] of Object.entries(tensors))
          copies[name] = tensor(await t.data(), { shape: t.shape })
        return copies
      }
      await program()
      const weights = await read(model.stateDict())
      const { step, tensors } = optimizer.stateDict(model.namedParameters())
      const saved = await read(tensors)
      await program()
      const after = await list(model.parameters()[0])
      for (let i = 0; i < 3; i++) await program()
      model.loadStateDict(weights)
      optimizer.loadStateDict({ step, tensors: saved }, model.namedParameters())
      await program()
      expect(await list(model.parameters()[0])).toEqual(after)
    })

    it('of another kind or model is refused', () => {
      const layer = new Linear(2, 2)
      const optimizer = new SGD(layer.parameters(), { momentum: 0.9 })
      const load = (tensors: Record<string, Tensor>): void =>
        optimizer.loadStateDict({ step: 1, tensors }, layer.namedParameters())
      expect(() => load({ 'weight.exp_avg': rand([2, 2]) })).toThrow(
        heedError('invalid-option', {
          key: 'tensors',
          mentions: ['SGD', 'momentum_buffer', 'got exp_avg'],
        }),
      )
      expect(() => load({ 'w.momentum_buffer': rand([2, 2]) })).toThrow(
        heedError('invalid-option', { key: 'tensors', mentions: 'got w.momentum_buffer' }),
      )
      expect(() => load({})).not.toThrow() // SGD without momentum leaves no state
      const wrong = { 'weight.momentum_buffer': rand([3]) }
      expect(() => load(wrong)).toThrow(
        heedError('shape', { key: 'weight.momentum_buffer', mentions: ['(2, 2)', '(3)'] }),
      )
      const adam = new AdamW(layer.parameters())
      const half = { step: 1, tensors: { 'weight.exp_avg': rand([2, 2]) } }
      const names = layer.namedParameters()
      expect(() => adam.loadStateDict(half, names)).toThrow(
        heedError('invalid-option', { key: 'tensors', mentions: 'weight.exp_avg_sq' }),
      )
      expect(() => adam.loadStateDict({ step: 1, tensors: {} }, names)).toThrow(
        heedError('invalid-option', {
          key: 'tensors',
          mentions: ['AdamW', 'exp_avg', 'exp_avg_sq'],
        }),
      )
      expect(() => adam.loadStateDict({ step: 0, tensors: {} }, names)).not.toThrow()
    })
  })
})

describe('groups', () => {
  it('decay matrices only', () => {
    const groups = decayGroups(makeModel(), 0.1)
    expect(groups.map((g) => [g.params.length, g.weightDecay])).toEqual([
      [2, 0.1],
      [2, 0],
    ])
  })

  it('hold each parameter once, and at least one', () => {
    const p = new Parameter(rand([2]))
    expect(() => new SGD([p, p])).toThrow(
      heedError('invalid-option', { key: 'params', mentions: 'twice' }),
    )
    expect(() => new SGD([{ params: [p] }, { params: [p] }])).toThrow(
      heedError('invalid-option', { key: 'params', mentions: 'twice' }),
    )
    expect(() => new AdamW([])).toThrow(
      heedError('invalid-option', { key: 'params', mentions: 'got none' }),
    )
    expect(() => new SGD([p], { nesterov: true })).toThrow(
      heedError('invalid-option', { key: 'nesterov', value: true }),
    )
  })

  it('take what they leave out from the options', () => {
    const [a, b] = [new Parameter(rand([2])), new Parameter(rand([2]))]
    const { groups } = new AdamW([{ params: [a], lr: 1 }, { params: [b] }], { lr: 0.5 })
    expect(groups.map(({ lr, weightDecay }) => [lr, weightDecay])).toEqual([
      [1, 0.01],
      [0.5, 0.01],
    ])
  })
})

describe('schedules', () => {
  it('fall with the inverse square root from the end of the warm-up', () => {
    const schedule = inverseSqrt({ warmup: 4 })
    expect([0, 2, 4, 16, 64].map(schedule)).toEqual([0, 0.5, 1, 0.5, 0.25])
  })

  it('set the rates of all groups, and can go to any step', () => {
    const [a, b] = [new Parameter(rand([2])), new Parameter(rand([2]))]
    const optimizer = new SGD([
      { params: [a], lr: 1 },
      { params: [b], lr: 4 },
    ])
    const scheduler = new LRScheduler(optimizer, constant({ warmup: 2 }))
    const rates = (): number[] => optimizer.groups.map(({ lr }) => lr)
    expect(rates()).toEqual([0, 0])
    scheduler.step()
    expect(rates()).toEqual([0.5, 2])
    scheduler.setStep(7)
    expect(rates()).toEqual([1, 4])
  })
})
