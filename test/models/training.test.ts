// The loss curve of a small GPT against PyTorch's: the same weights, batches and optimiser.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hold, stats, type Tensor, tensor } from '../../src/index.ts'
import { readJsonObject } from '../../src/io/files/json.ts'
import { GPT2, type GPT2Config } from '../../src/models/index.ts'
import { AdamW, constant, decayGroups, LRScheduler } from '../../src/optim/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import {
  batches,
  type ParameterRule,
  parameterValues,
  weightsChecksum,
} from '../fixtures/training-rules.ts'
import { allDevices, onEach } from '../support/devices.ts'

interface Told {
  config: Partial<GPT2Config>
  optimizer: Record<
    'lr' | 'warmupSteps' | 'beta1' | 'beta2' | 'eps' | 'weightDecay' | 'clipNorm',
    number
  >
  checksum: number
  losses64: number[]
  gradNorms64: number[]
  parameters: ParameterRule[]
  forced: { loss: number; gradNorm: number; lossAfter: number }[]
}

const told = (await readJsonObject(join(FIXTURES, 'training.json'))) as unknown as Told

function setWeights(model: GPT2, state: number): Float32Array[] {
  const values = told.parameters.map((rule) => parameterValues(rule, state))
  const named = told.parameters.map(({ name, shape }, i) => [name, { data: values[i], shape }])
  model.loadStateDict(Object.fromEntries(named))
  return values
}

function makeOptimizer(model: GPT2): AdamW {
  const { lr, beta1, beta2, eps, weightDecay, clipNorm } = told.optimizer
  const groups = decayGroups(model, weightDecay)
  return new AdamW(groups, { lr, betas: [beta1, beta2], eps, maxGradNorm: clipNorm })
}

const split = (rows: number[][]): { x: Int32Array; y: Int32Array; shape: number[] } => ({
  x: Int32Array.from(rows.flatMap((row) => row.slice(0, -1))),
  y: Int32Array.from(rows.flatMap((row) => row.slice(1))),
  shape: [rows.length, rows[0].length - 1],
})

const relative = (got: number, want: number): number => Math.abs(got - want) / Math.abs(want)

onEach(allDevices, () => {
  describe('a GPT of four layers', () => {
    it("has PyTorch's first hundred losses, in one program", async () => {
      const model = new GPT2(told.config)
      expect(weightsChecksum(setWeights(model, 0))).toBe(told.checksum)
      const optimizer = makeOptimizer(model)
      const scheduler = new LRScheduler(optimizer, constant({ warmup: told.optimizer.warmupSteps }))
      const step = hold((x, y) => {
        const loss = model.loss(x, y)
        loss.backward()
        optimizer.update()
        return [loss, optimizer.gradNorm as Tensor]
      })
      let compiled = 0
      const rows = batches(1)
      for (let i = 0; i < told.losses64.length; i++) {
        const { x, y, shape } = split(rows.next().value)
        scheduler.step()
        optimizer.beginStep()
        const [loss, norm] = await step({ data: x, shape }, { data: y, shape })
        expect(relative(await loss.item(), told.losses64[i])).toBeLessThan(1e-5)
        expect(relative(await norm.item(), told.gradNorms64[i])).toBeLessThan(1e-5)
        if (i === 0) compiled = stats().compilations
      }
      expect(stats().compilations).toBe(compiled)
    }, 120_000)

    it('takes twenty single steps as PyTorch does', async () => {
      const rows = batches(2)
      const model = new GPT2(told.config)
      for (const [i, want] of told.forced.entries()) {
        setWeights(model, i + 1)
        const optimizer = makeOptimizer(model)
        const { x, y, shape } = split(rows.next().value)
        const lossNow = (): Tensor => model.loss(tensor(x, { shape }), tensor(y, { shape }))
        const loss = lossNow()
        loss.backward()
        await optimizer.step()
        expect(relative(await loss.item(), want.loss)).toBeLessThan(1e-5)
        expect(relative(await (optimizer.gradNorm as Tensor).item(), want.gradNorm)).toBeLessThan(
          1e-5,
        )
        expect(relative(await lossNow().item(), want.lossAfter)).toBeLessThan(1e-5)
      }
    }, 120_000)
  })
})
