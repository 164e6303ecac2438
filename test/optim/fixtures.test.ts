import { describe, expect, it } from 'vitest'
import { Parameter, type Tensor, tensor, zeros } from '../../src/index.ts'
import {
  Adafactor,
  Adam,
  AdamW,
  clipGradNorm,
  cosine,
  linear,
  type Optimizer,
  SGD,
} from '../../src/optim/index.ts'
import { type Case, readCases } from '../fixtures/cases.ts'
import { expectClose } from '../support/close.ts'
import { allDevices, onEach } from '../support/devices.ts'

const all = await readCases('optimizers')
const of = (ops: string[]): Case[] => all.filter(({ op }) => ops.includes(op))

onEach(allDevices, () => {
  describe.each(of(['AdamW', 'Adam', 'SGD', 'Adafactor']))(
    '$name',
    ({ op, args, input, output }) => {
      it("follows PyTorch's or transformers' trajectory", async () => {
        const params = { w: new Parameter(asTensor(input.w)), b: new Parameter(asTensor(input.b)) }
        const optimizer = makeOptimizer(op, args, params)
        const steps = input.w_grad.shape[0]
        for (let step = 0; step < steps; step++) {
          params.w.grad = asTensor(input.w_grad).select(0, step)
          params.b.grad = asTensor(input.b_grad).select(0, step)
          await optimizer.step()
          for (const name of ['w', 'b'] as const) {
            const { data, shape } = output[`${name}.after`]
            const size = data.length / shape[0]
            await expectClose(
              await params[name].data(),
              data.subarray(step * size, (step + 1) * size),
              2e-6,
            )
          }
        }
        const { tensors } = optimizer.stateDict(Object.entries(params))
        const states = Object.keys(output).filter((key) => !key.endsWith('.after'))
        expect(Object.keys(tensors).sort()).toEqual(states.sort())
        // 1 - β₂ of a float32 β₂ = 0.999 is 1.3e-5 off; so is the bias correction, and both cancel.
        for (const key of states)
          await expectClose(
            await tensors[key].data(),
            output[key].data,
            key.endsWith('_sq') ? 2e-5 : 2e-6,
          )
      })
    },
  )

  describe.each(of(['clip_grad_norm']))('$name', ({ args, input, output }) => {
    it('scales as PyTorch does', async () => {
      const [a, b] = ['a', 'b'].map((key) => {
        const parameter = new Parameter(zeros(input[key].shape))
        parameter.grad = asTensor(input[key])
        return parameter
      })
      const norm = clipGradNorm([a, b], args.max_norm as number)
      await expectClose([await norm.item()], output.norm.data, 2e-6)
      await expectClose(await (a.grad as Tensor).data(), output.a.data, 2e-6)
      await expectClose(await (b.grad as Tensor).data(), output.b.data, 2e-6)
    })
  })
})

describe.each(of(['linear_with_warmup', 'cosine_with_warmup']))('$name', ({ op, args, output }) => {
  it('has the factors of transformers', () => {
    const make = op.startsWith('linear') ? linear : cosine
    const schedule = make({
      warmup: args.num_warmup_steps as number,
      steps: args.num_training_steps as number,
    })
    for (const [step, factor] of output.y.data.entries())
      expect(schedule(step)).toBeCloseTo(factor, 12)
  })
})

type Values = Case['input'][string]
type Settings = Record<string, unknown>

function makeOptimizer(
  op: string,
  args: Settings,
  params: Record<string, Parameter>,
): Optimizer<{ lr: number }> {
  const { groups, ...rest } = args
  const special = groups as Record<string, Settings>
  const listed = Object.entries(params).map(([name, parameter]) => ({
    params: [parameter],
    ...camelCased(special[name] ?? {}),
  }))
  const Kind = { AdamW, Adam, SGD, Adafactor }[op] as typeof AdamW
  return new Kind(listed, camelCased(rest)) as unknown as Optimizer<{ lr: number }>
}

const camelCased = (settings: Settings): Settings =>
  Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [
      key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  )

const asTensor = ({ data, shape }: Values): Tensor => tensor(Float32Array.from(data), { shape })
