// Sampled answers with their log-probabilities.
import { beforeAll, expect, it } from 'vitest'
import { addAdapter } from '../../src/adapt/index.ts'
import { type Rollout, Rollouts } from '../../src/generate/index.ts'
import { F, manualSeed, noGrad, tensor } from '../../src/index.ts'
import { GPT2 } from '../../src/models/index.ts'
import { allDevices, onEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9]]
const TEMPERATURE = 0.7
const gpt2 = (): GPT2 => {
  manualSeed(3)
  return new GPT2({ vocab_size: 12, n_positions: 32, n_embd: 8, n_layer: 2, n_head: 2, initializer_range: 0.6 }) // biome-ignore format: one line
}

/** Log-probabilities of the tokens of an answer in one forward pass, as in training. */
async function scored(model: GPT2, prompt: number[], { tokens }: Rollout): Promise<number[]> {
  const ids = [...prompt, ...tokens]
  const losses = noGrad(() => {
    const logits = model.eval().forward(tensor([ids.slice(0, -1)], { dtype: 'i32' }))
    return F.crossEntropy(logits.div(TEMPERATURE), tensor([ids.slice(1)], { dtype: 'i32' }), {
      reduction: 'none',
    })
  })
  return Array.from(await losses.data(), (loss) => -loss).slice(prompt.length - 1)
}

onEach(allDevices, () => {
  let model: GPT2
  const options = { maxTokens: 10, temperature: TEMPERATURE, stopTokens: [0, 1] }
  beforeAll(() => {
    model = gpt2()
  })

  it('have the log-probabilities of training, end with a stop token, and depend on the seed only', async () => {
    const rollouts = new Rollouts(model, options)
    const written = await rollouts.write(prompts, { answers: 8, seed: 1 })
    expect(written.map(({ length }) => length)).toEqual([8, 8, 8])
    for (const [i, answers] of written.entries())
      for (const answer of answers) {
        const expected = await scored(model, prompts[i], answer)
        expect(answer.logProbabilities).toHaveLength(answer.tokens.length)
        answer.logProbabilities.forEach((p, at) => {
          expect(Math.abs(p - expected[at])).toBeLessThan(1e-5)
        })
        const stop = answer.tokens.findIndex((token) => options.stopTokens.includes(token))
        expect(answer.ended).toBe(stop >= 0)
        expect(answer.tokens.length).toBe(stop < 0 ? 10 : stop + 1)
        for (const entropy of answer.entropies) expect(entropy).toBeGreaterThan(0)
      }
    const lengths = new Set(written.flat().map(({ tokens }) => tokens.length))
    expect(lengths.size).toBeGreaterThan(3) // rows left the batch at different times
    expect(await rollouts.write(prompts, { answers: 8, seed: 1 })).toEqual(written)
    expect(await new Rollouts(model, options).write(prompts, { answers: 8, seed: 1 })).toEqual(written) // biome-ignore format: one line
    expect(await rollouts.write(prompts, { answers: 8, seed: 2 })).not.toEqual(written)
  })

  it('follow the weights of the model, and its adapter', async () => {
    const own = gpt2()
    const rollouts = new Rollouts(own, options)
    const before = await rollouts.write(prompts, { answers: 4, seed: 1 })
    for (const parameter of own.parameters()) parameter.assign(parameter.mul(1.5))
    const after = await rollouts.write(prompts, { answers: 4, seed: 1 })
    expect(after).not.toEqual(before)
    expect(await new Rollouts(own, options).write(prompts, { answers: 4, seed: 1 })).toEqual(after)
    const adapter = addAdapter(own, 'lora:r=2,targets=all-linear')
    expect(await rollouts.write(prompts, { answers: 4, seed: 1 })).toEqual(after) // B is 0
    for (const parameter of adapter.parameters()) parameter.assign(parameter.add(0.3))
    const adapted = await rollouts.write(prompts, { answers: 4, seed: 1 })
    expect(adapted).not.toEqual(after)
    const expected = await scored(own, prompts[0], adapted[0][0])
    adapted[0][0].logProbabilities.forEach((p, at) => {
      expect(Math.abs(p - expected[at])).toBeLessThan(1e-5)
    })
  })
})

it('are drawn from the distribution of the model', async () => {
  const model = gpt2()
  const logits = noGrad(() => model.eval().forward(tensor([[4]], { dtype: 'i32' })))
  const shares = await logits.softmax(-1).data()
  const answers = 4000
  const [written] = await new Rollouts(model, { maxTokens: 1 }).write([[4]], { answers, seed: 5 })
  const counts = new Array(12).fill(0)
  for (const { tokens } of written) counts[tokens[0]]++
  const chi2 = counts.reduce((sum, n, i) => sum + (n - answers * shares[i]) ** 2 / (answers * shares[i]), 0) // biome-ignore format: one line
  expect(chi2).toBeLessThan(31.3) // 11 degrees of freedom, p = 0.001
})

it('are refused for a temperature of 0, and without room', async () => {
  const model = gpt2()
  expect(() => new Rollouts(model, { maxTokens: 4, temperature: 0 })).toThrow(
    heedError('invalid-option', { key: 'temperature', value: 0 }),
  )
  const rollouts = new Rollouts(model, { maxTokens: 30 })
  await expect(rollouts.write([[1, 2, 3]], { seed: 0 })).rejects.toThrow(
    heedError('invalid-option', { key: 'maxTokens', value: 30 }),
  )
  await expect(rollouts.write([[]], { seed: 0 })).rejects.toThrow(heedError('invalid-option'))
})

it('have the log-probabilities of training with a trained prefix', async () => {
  const model = gpt2()
  const adapter = addAdapter(model, 'prefix:tokens=3')
  for (const parameter of adapter.parameters()) parameter.assign(parameter.add(0.5))
  const rollouts = new Rollouts(model, { maxTokens: 8, temperature: TEMPERATURE, stopTokens: [0] })
  for (const step of [1, 2]) {
    const [, [answer]] = await rollouts.write(prompts, { answers: 4, seed: step })
    const expected = await scored(model, prompts[1], answer)
    answer.logProbabilities.forEach((p, at) => {
      expect(Math.abs(p - expected[at])).toBeLessThan(1e-5)
    })
    for (const parameter of adapter.parameters()) parameter.assign(parameter.mul(-1.5)) // an update
  }
})
