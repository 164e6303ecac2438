// Gradient norms after a step, steps that refuse NaN, and where NaN comes from.
import { describe, expect, it } from 'vitest'
import { Parameter, type Tensor, tensor } from '../../src/index.ts'
import { findNaN, Linear, Module } from '../../src/nn/index.ts'
import { AdamW, clipGradNorm, SGD } from '../../src/optim/index.ts'
import { allDevices, onEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

class Log extends Module {
  forward(x: Tensor): Tensor {
    return x.log()
  }
}

class Host extends Module {
  first = new Linear(2, 2)
  middle = { log: new Log() }
  last = new Linear(2, 1)

  forward(x: Tensor): Tensor {
    return this.last.forward(this.middle.log.forward(this.first.forward(x).abs().sub(1)))
  }
}

/** A loss that is NaN for x = 0, and finite for large x. */
function make(): { model: Host; loss: (x: number) => Tensor } {
  const model = new Host()
  model.loadStateDict({ 'first.weight': tensor([[1, 0], [0, 1]]), 'first.bias': tensor([0, 0]), 'last.weight': tensor([[1, 1]]), 'last.bias': tensor([0]) }) // biome-ignore format: one line
  return { model, loss: (x) => model.forward(tensor([[x, x]])).sum() }
}

onEach(allDevices, () => {
  describe('the norm of gradients', () => {
    it.each([{ gradNorm: true }, { maxGradNorm: 1 }])(
      'can be read after step(): %o',
      async (options) => {
        const weight = new Parameter(tensor([3, 4]))
        const optimizer = new SGD([weight], options)
        weight.square().sum().backward()
        await optimizer.step()
        expect(await optimizer.gradNorm?.item()).toBeCloseTo(10, 5)
      },
    )

    it('does not change the step', async () => {
      const step = async (gradNorm: boolean): Promise<unknown> => {
        const weight = new Parameter(tensor([3, 4]))
        const optimizer = new AdamW([weight])
        weight.square().sum().backward()
        await optimizer.step({ gradNorm })
        expect(optimizer.gradNorm !== null).toBe(gradNorm)
        return weight.tolist()
      }
      expect(await step(true)).toEqual(await step(false))
    })

    it('of clipGradNorm can be read after step()', async () => {
      const weight = new Parameter(tensor([3, 4]))
      weight.square().sum().backward()
      const norm = clipGradNorm([weight], 1)
      await new SGD([weight], { lr: 1 }).step()
      expect(await norm.item()).toBeCloseTo(10, 5)
      expect(((await weight.tolist()) as number[])[0]).toBeCloseTo(2.4, 5)
    })
  })

  describe('checkFinite', () => {
    it.each(['optimiser', 'step'])(
      'rejects before anything changes (option of the %s)',
      async (where) => {
        const { model, loss } = make()
        const options = { checkFinite: true }
        const optimizer = new AdamW(model.parameters(), where === 'optimiser' ? options : {})
        const before = await model.first.weight.data()
        loss(0.5).backward() // the logarithm of -0.5
        await expect(optimizer.step(where === 'step' ? options : {})).rejects.toThrow(
          heedError('diverged', { mentions: ['loss', 'got NaN'], remedy: 'middle.log: log' }),
        )
        expect(optimizer.stepCount).toBe(0)
        expect(await model.first.weight.data()).toEqual(before)

        optimizer.zeroGrad()
        loss(3).backward()
        await optimizer.step()
        expect(optimizer.stepCount).toBe(1)
        expect(await model.first.weight.data()).not.toEqual(before)
      },
    )

    it('rejects when only the gradients are not finite', async () => {
      const weight = new Parameter(tensor([0, 1]))
      weight.sqrt().sum().backward() // an infinite slope at 0
      await expect(new SGD([weight]).step({ checkFinite: true })).rejects.toThrow(
        heedError('diverged', { mentions: ['gradients', 'got Infinity'] }),
      )
    })

    it('takes the same step as without', async () => {
      const run = async (checkFinite: boolean): Promise<unknown> => {
        const { model, loss } = make()
        const optimizer = new AdamW(model.parameters(), { lr: 0.1, checkFinite })
        for (let i = 0; i < 3; i++) {
          loss(3).backward()
          await optimizer.step()
        }
        return model.last.weight.tolist()
      }
      expect(await run(true)).toEqual(await run(false))
    })
  })

  describe('findNaN', () => {
    it('names the first module and operation', async () => {
      const { model, loss } = make()
      expect(await findNaN(model, loss(0.5))).toEqual({
        module: 'middle.log',
        operation: 'log',
        shape: [1, 2],
        infiniteInput: false,
      })
      expect(await findNaN(model, loss(3))).toBeNull()
    })

    it('names a parameter that holds NaN', async () => {
      const { model, loss } = make()
      model.loadStateDict({ 'first.bias': tensor([0, Number.NaN]) }, { strict: false })
      expect(await findNaN(model, loss(3))).toMatchObject({
        module: 'first.bias',
        operation: 'parameter',
      })
    })

    it('looks into the backward pass, and says whether infinity came first', async () => {
      class Root extends Module {
        weight = new Parameter(tensor([0]))
        forward(): Tensor {
          return this.weight.sqrt().mul(0).sum() // 0 · ∞ in the gradient
        }
      }
      const model = new Root()
      const loss = model.forward()
      expect(await findNaN(model, loss)).toBeNull()
      loss.backward()
      expect(await findNaN(model, loss)).toMatchObject({ module: '(backward)' })
    })

    it('says when the graph is gone', async () => {
      const { model, loss } = make()
      const value = loss(3)
      value.backward()
      await new SGD(model.parameters()).step()
      await expect(findNaN(model, value)).rejects.toThrow(
        heedError('invalid-state', { mentions: 'freed' }),
      )
    })
  })
})
