// Functions of functions on tensors: gradients of gradients, gradients of one's own, checkpoints.
import { describe, expect, it } from 'vitest'
import { gradients } from '../../src/grad/backward.ts'
import {
  checkpoint,
  customVjp,
  F,
  grad,
  manualSeed,
  noGrad,
  Parameter,
  rand,
  randn,
  stopGradient,
  type Tensor,
  tensor,
  valueAndGrad,
} from '../../src/index.ts'
import type { CpuDevice } from '../../src/runtime/cpu/device.ts'
import { isLeaf, trace } from '../../src/runtime/trace.ts'
import { lower } from '../../src/schedule/lower.ts'
import { expectWithin } from '../support/close.ts'
import { allDevices, cpuDevices, onEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const list = async (x: Tensor): Promise<number[]> => [...(await x.data())]

onEach(allDevices, (device) => {
  describe('grad', () => {
    const x = tensor([0.5, -1, 2])

    it('gives the gradient of a function, and of its gradient, and so on', async () => {
      const f = (v: Tensor): Tensor => v.pow(4).sum()
      const slope = (v: Tensor): Tensor => grad(f)(v).sum()
      const curve = (v: Tensor): Tensor => grad(slope)(v).sum()
      await expectWithin(grad(f)(x), [0.5, -4, 32])
      await expectWithin(grad(slope)(x), [3, 12, 48])
      await expectWithin(grad(curve)(x), [12, -24, 48], 5e-5)
    })

    it('asks for the arguments that are named, one at a time or together', async () => {
      const f = (a: Tensor, b: Tensor): Tensor => a.mul(b).mul(b).sum()
      const y = tensor([1, 2, 3])
      await expectWithin(grad(f)(x, y), [1, 4, 9])
      const [db, da] = grad(f, [1, 0])(x, y)
      await expectWithin(db, [1, -4, 12])
      await expectWithin(da, [1, 4, 9])
    })

    it('of one tensor in two places tells the two apart', async () => {
      const f = (a: Tensor, b: Tensor): Tensor => a.square().mul(b).sum()
      const [da, db] = grad(f, [0, 1])(x, x)
      await expectWithin(da, [0.5, 2, 8])
      await expectWithin(db, [0.25, 1, 4])
    })

    it('is 0 where there is no path', async () => {
      expect(await list(grad((v) => v.detach().sum())(x))).toEqual([0, 0, 0])
      expect(await list(grad(() => tensor([3]))(x))).toEqual([0, 0, 0])
    })

    it('comes with the value, and refuses what is not one number', async () => {
      const { value, grads } = valueAndGrad((v) => v.square().sum())(x)
      expect(await value.item()).toBeCloseTo(5.25)
      await expectWithin(grads[0], [1, -2, 4])
      expect(() => grad((v) => v)(x)).toThrow(heedError('shape', { mentions: 'got 3' }))
    })

    it('of a gradient goes into backward()', async () => {
      const w = new Parameter(tensor([0.5, -1, 2]))
      grad((v) => v.pow(3).sum())(w)
        .square()
        .sum()
        .backward() // d (3w²)² = 36w³
      await expectWithin(w.grad as Tensor, [4.5, -36, 288], 5e-4)
    })
  })

  describe('customVjp', () => {
    const clipped = customVjp(
      (x, scale) => x.mul(scale).round(),
      (dy, [x, scale], y) => [dy.mul(scale).add(y.mul(0)), x.sum().mul(0).add(7)],
    )

    it('has the value of the one function and the gradient of the other', async () => {
      const [x, scale] = [tensor([0.4, 1.3]), tensor([2])]
      expect(await list(clipped(x, scale))).toEqual([1, 3])
      const [dx, dscale] = grad(
        (a, b) =>
          clipped(a, b)
            .mul(tensor([10, 20]))
            .sum(),
        [0, 1],
      )(x, scale)
      await expectWithin(dx, [20, 40])
      await expectWithin(dscale, [7])
    })

    it('stops where it gives null', async () => {
      const half = customVjp(
        (a, b) => a.mul(b),
        (dy) => [dy, null],
      )
      const [da, db] = grad((a, b) => half(a, b).sum(), [0, 1])(tensor([2, 3]), tensor([4, 5]))
      expect(await list(da)).toEqual([1, 1])
      expect(await list(db)).toEqual([0, 0])
    })

    it('has a gradient whose gradient is found as usual', async () => {
      const cube = customVjp(
        (a) => a.pow(3),
        (dy, [a]) => [dy.mul(a.square()).mul(3)],
      )
      const second = grad((v) => grad((a) => cube(a).sum())(v).sum())
      await expectWithin(second(tensor([1, 2, -3])), [6, 12, -18], 5e-5)
    })
  })

  describe('no gradient', () => {
    it('flows through stopGradient, detach or noGrad', async () => {
      const x = tensor([2, 3])
      await expectWithin(grad((v) => stopGradient(v.square()).mul(v).sum())(x), [4, 9])
      await expectWithin(grad((v) => v.square().detach().mul(v).sum())(x), [4, 9])
      await expectWithin(
        grad((v) =>
          noGrad(() => v.square())
            .mul(v)
            .sum(),
        )(x),
        [4, 9],
      )
      expect(noGrad(() => new Parameter(x).mul(2)).node.tracked).toBe(false)
    })

    it('is forgotten when noGrad ends, even by an error', () => {
      expect(() =>
        noGrad(() => {
          throw new Error('inside')
        }),
      ).toThrow('inside')
      expect(new Parameter(tensor([1])).mul(2).node.tracked).toBe(true)
    })
  })

  describe('checkpoint', () => {
    const blocks = 4

    /** The gradients of a small network with dropout, each block behind `wrap`. */
    function slopes(
      wrap: (f: (x: Tensor) => Tensor, x: Tensor) => Tensor,
      size = 8,
    ): { loss: Tensor; grads: Tensor[] } {
      manualSeed(9)
      const x = rand([size, 16])
      const weights = Array.from({ length: blocks }, () => randn([2, 16, 16]).mul(0.2))
      return differentiated(x, weights, (input, parameters) =>
        parameters
          .reduce((h, w) => wrap((v) => block(v, w), h), input)
          .square()
          .mean(),
      )
    }

    const block = (x: Tensor, w: Tensor): Tensor =>
      x.add(
        F.dropout(x.matmul(w.select(0, 0)).gelu(), 0.3)
          .matmul(w.select(0, 1))
          .tanh(),
      )

    function differentiated(
      x: Tensor,
      weights: Tensor[],
      lossOf: (x: Tensor, weights: Tensor[]) => Tensor,
    ): { loss: Tensor; grads: Tensor[] } {
      const all = [x, ...weights]
      const numbers = all.map((_, i) => i)
      const { value, grads } = valueAndGrad((v, ...rest) => lossOf(v, rest), numbers)(...all)
      return { loss: value, grads }
    }

    const plainly = (f: (x: Tensor) => Tensor, x: Tensor): Tensor => f(x)
    const again = (f: (x: Tensor) => Tensor, x: Tensor): Tensor => checkpoint(f, x)
    const within = (f: (x: Tensor) => Tensor, x: Tensor): Tensor =>
      checkpoint((v) => checkpoint(f, v), x)

    it.each([
      ['once', again],
      ['one within the other', within],
    ])('%s gives the gradients that there are without it, with the same draws', async (_, wrap) => {
      const [plain, other] = [slopes(plainly), slopes(wrap)]
      expect(await other.loss.item()).toBeCloseTo(await plain.loss.item(), 6)
      for (const [i, expected] of plain.grads.entries())
        await expectWithin(other.grads[i], await list(expected), 5e-7)
    })

    it('of parameters that the function captures fills their gradients', async () => {
      const run = async (wrap: typeof again): Promise<number[]> => {
        manualSeed(4)
        const w = new Parameter(rand([3, 3]))
        const x = rand([2, 3])
        wrap((v) => F.dropout(v.matmul(w), 0.4).exp(), x)
          .sum()
          .backward()
        return list(w.grad as Tensor)
      }
      expect(await run(again)).toEqual(await run(plainly))
    })

    it('can be differentiated twice', async () => {
      const second = (wrap: typeof again): Tensor =>
        grad((v) =>
          grad((u) => wrap((t) => t.sin().exp(), u).sum())(v)
            .square()
            .sum(),
        )(tensor([0.3, -1]))
      await expectWithin(second(again), await list(second(plainly)))
    })

    it.runIf(cpuDevices.length > 0)('needs less working memory', () => {
      if (device().name !== 'cpu') return
      const bytes = (wrap: typeof again): number => {
        const { loss, grads } = slopes(wrap, 512)
        const outputs = [loss, ...grads].map((x) => x.node)
        const cpu = device() as CpuDevice
        return cpu.compile(lower(trace(outputs).nodes, outputs, isLeaf, cpu.composites)).arenaBytes
      }
      const [plain, less] = [bytes(plainly), bytes(again)]
      expect(less).toBeLessThan(0.7 * plain)
    })
  })

  it('a gradient of several roots is the sum of theirs', async () => {
    const w = new Parameter(tensor([1, 2]))
    const roots = [w.square(), w.mul(3)]
    const seeds = [tensor([1, 10]), tensor([2, 20])]
    const [found] = gradients(
      roots.map((x) => x.node),
      seeds.map((x) => x.node),
      [w.node],
    )
    expect(found).not.toBeNull()
    const [total] = await Promise.all([w.grad, found])
    expect(total).toBeNull()
  })
})
