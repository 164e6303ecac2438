import { describe, expect, it } from 'vitest'
import {
  accumulate,
  cat,
  F,
  hold,
  hostCall,
  manualSeed,
  Parameter,
  rand,
  realize,
  StaleTensorError,
  stats,
  type Tensor,
  tensor,
  zeros,
} from '../../src/index.ts'
import { AdamW, SGD } from '../../src/optim/index.ts'
import { allDevices, onEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const state = (values: number[]): Tensor => {
  const out = tensor(values)
  out.becomeState()
  return out
}

const list = async (x: Tensor): Promise<number[]> => [...(await x.data())]

onEach(allDevices, () => {
  describe('assign', () => {
    it('lets a reader from before it see the old value, and one from after it the new', async () => {
      const p = state([1, 2])
      const before = p.mul(10)
      p.assign(tensor([5, 6]))
      const after = p.mul(10)
      await realize([before, after, p])
      expect(await list(before)).toEqual([10, 20])
      expect(await list(after)).toEqual([50, 60])
      expect(await list(p)).toEqual([5, 6])
    })

    it('keeps the old value for a reader that is built afterwards', async () => {
      const p = state([1, 2])
      const old = p.detach()
      p.assign(p.add(1))
      const late = old.mul(2)
      await realize([p, late])
      expect(await list(late)).toEqual([2, 4])
      expect(await list(p)).toEqual([2, 3])
    })

    it('computes new state that is made from other new state after its assignment', async () => {
      const p = new Parameter(rand([2]))
      p.assign(0.5)
      const average = p.detach().clone()
      average.assign(average.mul(0.5).add(1))
      const copy = new Parameter(average)
      copy.assign(copy.mul(2))
      await realize([copy])
      expect(await list(copy)).toEqual([2.5, 2.5])
      expect(await list(average)).toEqual([1.25, 1.25])
      expect(await list(p)).toEqual([0.5, 0.5])
    })

    it('copies a value that is only an assignment under another name', async () => {
      const p = state([1, 2])
      p.assign(tensor([5, 6]))
      const copies = [p.clone(), p.detach(), p.add(0), p.clone().detach()]
      await realize([copies[0], p, copies[1], copies[2], copies[3]])
      p.assign(0)
      for (const copy of copies) expect(await list(copy)).toEqual([5, 6])
      expect(await list(p)).toEqual([0, 0])
      p.assignAt(tensor([7]), 1)
      expect(await list(p.clone())).toEqual([0, 7])
    })

    it('swaps', async () => {
      const a = state([1, 2])
      const b = state([3, 4])
      const [oldA, oldB] = [a.detach(), b.detach()]
      a.assign(oldB)
      b.assign(oldA)
      await realize([a, b])
      expect(await list(a)).toEqual([3, 4])
      expect(await list(b)).toEqual([1, 2])
    })

    it('reads a flipped view of itself', async () => {
      const p = state([1, 2, 3])
      p.assign(p.flip(0))
      expect(await list(p)).toEqual([3, 2, 1])
    })

    it('is put together from pieces of itself', async () => {
      const p = state([1, 2, 3, 4])
      const [a, b] = p.split(2)
      p.assign(cat([b.mul(10), a.mul(100)]))
      expect(await list(p)).toEqual([30, 40, 100, 200])
    })

    it('chains within one program', async () => {
      const p = state([1])
      p.assign(p.add(1))
      const middle = p.mul(100)
      p.assign(p.mul(3))
      await realize([p, middle])
      expect(await list(p)).toEqual([6])
      expect(await list(middle)).toEqual([200])
    })

    it('refuses to compute an unread tensor from state that has been replaced', async () => {
      const p = state([1, 2])
      const view = p.reshape(2, 1)
      await realize([p.assign(tensor([7, 8]))])
      await expect(view.data()).rejects.toThrow(StaleTensorError)
      await expect(view.data()).rejects.toMatchObject({ remedy: expect.stringContaining('keep') })
    })

    it('writes a part at a run-time offset without compiling again', async () => {
      const cache = zeros([2, 4])
      cache.becomeState()
      await realize([cache])
      let compiled = -1
      for (let at = 0; at < 4; at++) {
        cache.assignAt(tensor([[at + 1], [-at - 1]]), at, 1)
        await realize([cache])
        if (compiled >= 0) expect(stats().compilations).toBe(compiled)
        compiled = stats().compilations
      }
      expect(await list(cache)).toEqual([1, 2, 3, 4, -1, -2, -3, -4])
    })

    it('refuses an offset beyond the end', async () => {
      const cache = zeros([4])
      cache.becomeState()
      cache.assignAt(tensor([1, 2]), 3)
      await expect(cache.data()).rejects.toThrow(heedError('invalid-data', { mentions: 'axis 0' }))
    })
  })

  describe('a failed run', () => {
    it('fails whatever is computed from its results', async () => {
      const bad = tensor([1, 2]).take(tensor([5], { dtype: 'i32' }))
      await realize([bad]).catch(() => {})
      await expect(bad.data()).rejects.toThrow(heedError('invalid-data', { mentions: 'index 5' }))
      await expect(bad.add(1).data()).rejects.toThrow(
        heedError('invalid-data', { mentions: 'index 5' }),
      )
    })

    it('leaves state as it was, and usable', async () => {
      const p = state([1, 2])
      p.assign(p.add(p.take(tensor([7], { dtype: 'i32' }))))
      await expect(p.data()).rejects.toThrow(heedError('invalid-data', { mentions: 'index 7' }))
      expect(await list(p)).toEqual([1, 2])
      expect(await list(p.mul(2))).toEqual([2, 4])
    })
  })

  describe('a training step', () => {
    const setup = (): { w: Parameter; loss: () => Tensor } => {
      manualSeed(7)
      const w = new Parameter(rand([3, 2]))
      const loss = (): Tensor => {
        const x = tensor([
          [1, 2, 3],
          [4, 5, 6],
        ])
        return x.matmul(w).sub(1).square().mean()
      }
      return { w, loss }
    }

    it('compiles once and then only hits', async () => {
      const { w, loss } = setup()
      const opt = new SGD([w], { lr: 0.01 })
      const losses: number[] = []
      let compiled = 0
      for (let step = 0; step < 6; step++) {
        const l = loss()
        l.backward()
        await opt.step()
        losses.push(await l.item())
        if (step === 0) compiled = stats().compilations
      }
      expect(stats().compilations).toBe(compiled)
      expect(losses.at(-1)).toBeLessThan(losses[0])
    })

    it('reads its loss for nothing after the step, and recomputes before it', async () => {
      const { w, loss } = setup()
      const opt = new SGD([w], { lr: 0.01 })
      const first = loss()
      first.backward()
      await opt.step()
      const { runs, recomputations } = stats()
      await first.item()
      expect(stats().runs).toBe(runs)
      const second = loss()
      await second.item()
      second.backward()
      await opt.step()
      expect(stats().recomputations).toBe(recomputations + 1)
    })

    it('keeps a metric that is asked for, and says so about one that is not', async () => {
      const { w, loss } = setup()
      const opt = new SGD([w], { lr: 0.01 })
      const kept = w.square().sum()
      const lost = w.abs().sum()
      loss().backward()
      await opt.step({ keep: [kept] })
      expect(await kept.item()).toBeGreaterThan(0)
      await expect(lost.item()).rejects.toThrow(StaleTensorError)
    })

    it('adds losses up over many steps', async () => {
      const { w, loss } = setup()
      const opt = new SGD([w], { lr: 0.001 })
      let total = zeros([])
      let expected = 0
      for (let step = 0; step < 300; step++) {
        const l = loss()
        l.backward()
        total = total.add(l.detach())
        await opt.step()
        expected += await l.item()
      }
      expect(await total.item()).toBeCloseTo(expected, 2)
    })

    it('accumulates micro-batches as one batch, with the compilations of one', async () => {
      const { w, loss } = setup()
      const opt = new SGD([w], { lr: 0.01 })
      const step = async (micro: number): Promise<void> => {
        for (let i = 0; i < micro; i++) await accumulate(loss().div(micro))
        await opt.step()
      }
      await step(1)
      await step(8)
      const compiled = stats().compilations
      await step(8)
      expect(stats().compilations).toBe(compiled)

      const other = setup()
      const plain = new SGD([other.w], { lr: 0.01 })
      for (let i = 0; i < 3; i++) {
        other.loss().backward()
        await plain.step()
      }
      const [a, b] = [await list(w), await list(other.w)]
      a.forEach((x, i) => {
        expect(x).toBeCloseTo(b[i], 5)
      })
    })

    it('holds its program: the same losses as the plain loop', async () => {
      const run = async (held: boolean): Promise<number[]> => {
        manualSeed(3)
        const w = new Parameter(rand([3, 2]))
        const opt = new AdamW([w], { lr: 0.05 })
        const lossOf = (x: Tensor): Tensor => F.dropout(x.matmul(w), 0.25).sub(1).square().mean()
        const body = hold((x) => {
          const loss = lossOf(x)
          loss.backward()
          opt.update()
          return [loss]
        })
        const losses: number[] = []
        for (let i = 0; i < 5; i++) {
          const data = Float32Array.from({ length: 6 }, (_, k) => k * 0.1 + i)
          if (held) {
            opt.beginStep()
            const [loss] = await body({ data, shape: [2, 3] })
            losses.push(await loss.item())
          } else {
            const loss = lossOf(tensor(data, { shape: [2, 3] }))
            loss.backward()
            await opt.step()
            losses.push(await loss.item())
          }
        }
        return losses
      }
      expect(await run(true)).toEqual(await run(false))
    })
  })

  describe('a held program', () => {
    const input = { data: Float32Array.from([1, 2]), shape: [2] }

    it('does not repeat an assignment from before it', async () => {
      const w = new Parameter(tensor([1, 1]))
      expect(await list(w)).toEqual([1, 1]) // it has memory now
      w.assign(tensor([3, 4]))
      const run = hold((x) => [x.mul(w)])
      await run(input)
      expect(await list((await run(input))[0])).toEqual([3, 8])
      expect(await list(w)).toEqual([3, 4])
      w.assign(tensor([5, 6]))
      expect(await list((await run(input))[0])).toEqual([5, 12])
      expect(await list(w)).toEqual([5, 6])
    })

    it('adds its own assignments to one from before it', async () => {
      const w = new Parameter(tensor([1, 1]))
      await list(w)
      w.assign(tensor([3, 4]))
      const run = hold((x) => {
        w.assign(w.add(x))
        return [w.mul(1)]
      })
      expect(await list((await run(input))[0])).toEqual([4, 6])
      expect(await list((await run(input))[0])).toEqual([5, 8])
      expect(await list(w)).toEqual([5, 8])
    })
  })

  describe('hostCall', () => {
    it('runs JavaScript in the middle of a program', async () => {
      const x = tensor([1, 2, 3]).mul(2)
      const doubled = hostCall((inputs) => inputs[0].map((v) => v * 10), [x], [3])
      expect(await list(doubled.add(x))).toEqual([22, 44, 66])
    })

    it('waits for an asynchronous function, and later runs wait for it', async () => {
      const p = state([1])
      const slow = hostCall(
        async ([v]) => {
          await new Promise((resolve) => setTimeout(resolve, 20))
          return v.map((y) => y + 1)
        },
        [p],
        [1],
      )
      p.assign(slow)
      const first = realize([p])
      const next = p.mul(100)
      expect(await list(next)).toEqual([200])
      await first
    })
  })
})
