import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateTokens } from '../../src/generate/index.ts'
import { F, manualSeed, stats, type Tensor, tensor } from '../../src/index.ts'
import { readJsonObject } from '../../src/io/files/json.ts'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import {
  fromPretrained,
  GPT2,
  type GPT2Config,
  loadWeights,
  savePretrained,
} from '../../src/models/index.ts'
import { captureActivations, captureAttention } from '../../src/nn/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { expectClose } from '../support/close.ts'
import { allDevices, onEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const root = join(FIXTURES, 'gpt2')
const variants = [
  ...['base', 'gelu', 'relu', 'epsilon', 'inverse_layer', 'unscaled', 'heads'].map((v) => [
    'base',
    v,
  ]),
  ...['small', 'old_keys', 'f16', 'bf16', 'n_inner', 'untied'].map((name) => [name, name]),
]
const tiny = { vocab_size: 11, n_positions: 8, n_embd: 8, n_layer: 2, n_head: 2 }
let scratch: string

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'heed-gpt2-'))
})
afterAll(() => rm(scratch, { recursive: true }))

onEach(allDevices, () => {
  describe.each(variants)('%s, %s', (folder, variant) => {
    it('computes what transformers computes', async () => {
      const dir = join(root, folder)
      const told = await readJsonObject(join(dir, 'expected', `${variant}.json`))
      const { expected, model, ids } = await load(
        dir,
        variant,
        told.overrides as Partial<GPT2Config>,
      )
      const want = async (name: string): Promise<Tensor> =>
        tensor(await expected.read(name, { as: 'f32' }), { shape: expected.info(name).shape })

      // Sharp attention (without a scale, for one) makes more of rounding, PyTorch's own included.
      const tolerance = Math.max(1e-5, 10 * (told.float32Error as number))
      const close = async (got: Tensor | undefined, name: string, worse = 1): Promise<void> =>
        expectClose(got as Tensor, await want(name), worse * tolerance)

      const tokens = ids.shape[1]
      const { result: logits, attentions } = captureAttention(() => model.forward(ids))
      const loss = F.crossEntropy(logits.narrow(1, 0, tokens - 1), ids.narrow(1, 1, tokens - 1))
      loss.backward()
      await close(logits, 'logits')
      expect(await loss.item()).toBeCloseTo(told.loss as number, 4)
      const parameters = new Map(model.namedParameters())
      for (const name of told.gradients as string[])
        await close(parameters.get(name)?.grad ?? undefined, `grad.${name}`, 15)
      if (expected.has('attentions.0')) {
        const { n_layer } = model.config
        for (let i = 0; i < n_layer; i++)
          await close(attentions.get(`transformer.h.${i}.attn`), `attentions.${i}`)
        const { activations } = captureActivations(model, ['transformer.h.0', 'transformer'], () =>
          model.forward(ids),
        )
        await close(activations.get('transformer.h.0'), 'hidden_states.1')
        await close(activations.get('transformer'), `hidden_states.${n_layer}`)
      }
      await expected.close()

      const made: number[] = []
      const greedy = told.greedy as number[]
      const options = { temperature: 0, maxTokens: greedy.length }
      for await (const token of generateTokens(model, told.prompt as number[], options))
        made.push(token)
      expect(made).toEqual(greedy)
    })
  })

  describe('a causal model', () => {
    it('does not look ahead, and knows its places', async () => {
      manualSeed(1)
      const model = new GPT2({ ...tiny, initializer_range: 0.5 }).eval()
      const run = async (ids: number[]): Promise<number[][]> =>
        (await model
          .forward(tensor([ids], { dtype: 'i32' }))
          .squeeze(0)
          .tolist()) as number[][]
      const [a, b] = [await run([1, 2, 3, 4, 5]), await run([1, 2, 3, 9, 8])]
      expect(a.slice(0, 3)).toEqual(b.slice(0, 3))
      expect(a[3]).not.toEqual(b[3])
      const c = await run([2, 1, 3, 4, 5])
      expect(c[2]).not.toEqual(a[2]) // without positions it would be the same
    })

    it.each([true, false])('has the loss and gradients of its logits, tied %s', async (tied) => {
      manualSeed(3)
      const model = new GPT2({ ...tiny, initializer_range: 0.5, tie_word_embeddings: tied }).eval()
      const ids = tensor([[1, 2, 3, 4], [5, 4, 3, 2]], { dtype: 'i32' }) // biome-ignore format: one line
      const targets = tensor([[2, 3, -100, 5], [4, -100, 2, 1]], { dtype: 'i32' }) // biome-ignore format: one line
      const gradientsOf = (loss: Tensor): Tensor[] => {
        for (const parameter of model.parameters()) parameter.grad = null
        loss.backward()
        return model.parameters().flatMap(({ grad }) => grad ?? [])
      }
      const [whole, parts] = [F.crossEntropy(model.forward(ids), targets), model.loss(ids, targets)]
      await expectClose(parts, whole, 1e-6)
      const [expected, found] = [gradientsOf(whole), gradientsOf(parts)]
      expect(found).toHaveLength(model.parameters().length)
      for (const [i, gradient] of found.entries()) await expectClose(gradient, expected[i], 1e-5)
    })

    it('computes with a cache what it computes without', async () => {
      manualSeed(2)
      const model = new GPT2({ ...tiny, initializer_range: 0.5 }).eval()
      const ids = tensor(
        [
          [1, 2, 3, 4, 5],
          [5, 4, 3, 2, 1],
        ],
        { dtype: 'i32' },
      )
      const whole = model.forward(ids)
      const cache = model.createCache({ batch: 2, capacity: 8 })
      for (const [start, size] of [
        [0, 2],
        [2, 1],
        [3, 2],
      ]) {
        const part = model.forward(ids.narrow(1, start, size), { cache })
        await expectClose(part, whole.narrow(1, start, size))
        cache.advance(size)
      }
      const last = model.forward(ids, { logitsAt: tensor([4, 1], { dtype: 'i32' }) })
      await expectClose(last.select(1, 1), whole.select(1, 1))
    })
  })
})

async function load(dir: string, variant: string, overrides: Partial<GPT2Config>) {
  const expected = await openSafetensors(join(dir, 'expected', `${variant}.safetensors`))
  let model = (await fromPretrained(dir)) as GPT2
  if (Object.keys(overrides).length > 0) {
    model = new GPT2({ ...model.config, ...overrides }).eval()
    await loadWeights(model, join(dir, 'model.safetensors'))
  }
  const { shape } = expected.info('input_ids')
  const ids = tensor(await expected.read('input_ids', { as: 'i32' }), { shape })
  return { expected, model, ids }
}

describe('GPT2', () => {
  it("starts from GPT-2's own distribution", async () => {
    manualSeed(3)
    const model = new GPT2({ ...tiny, vocab_size: 1000, n_embd: 64, n_layer: 8 })
    const dict = model.stateDict()
    const std = async (name: string): Promise<number> => await dict[name].std().item()
    expect(await std('transformer.wte.weight')).toBeCloseTo(0.02, 3)
    expect(await std('transformer.h.7.attn.c_attn.weight')).toBeCloseTo(0.02, 3)
    expect(await std('transformer.h.7.mlp.c_proj.weight')).toBeCloseTo(0.005, 3)
    expect(await std('transformer.h.7.mlp.c_fc.bias')).toBe(0)
    expect('lm_head.weight' in dict).toBe(false)
    expect('lm_head.weight' in new GPT2({ ...tiny, tie_word_embeddings: false }).stateDict()).toBe(
      true,
    )
  })

  it('has the defaults of the published gpt2, at no cost before the first run', () => {
    const { runs } = stats()
    const model = new GPT2()
    const count = model.parameters().reduce((n, p) => n + p.size, 0)
    expect(count).toBe(124_439_808)
    expect(stats().runs).toBe(runs)
  })

  it('names the places of its tensors', () => {
    const model = new GPT2(tiny)
    const seen: string[] = []
    model.hook('h.1.attn', (_module, _inputs, y) => void seen.push(y.node.scope))
    model.forward(tensor([[1]], { dtype: 'i32' }))
    expect(seen[0]).toMatch(/^transformer\.h\.1\.attn/)
  })

  it('says what is wrong with a config', () => {
    expect(() => new GPT2({ n_embd: 10, n_head: 4 })).toThrow(
      heedError('invalid-config', { key: 'n_head', value: 4, mentions: ['n_embd', '(10)'] }),
    )
    expect(() => new GPT2({ n_layer: 0, activation_function: 'gellu' as 'gelu' })).toThrow(
      heedError('invalid-config', { key: 'n_layer', mentions: ['GPT-2', '`activation_function`'] }),
    )
    expect(() => new GPT2({ n_layer: 1e9 })).toThrow(
      heedError('invalid-config', { key: 'n_layer', mentions: '1000000000' }),
    )
    const model = new GPT2(tiny)
    expect(() => model.forward(tensor([[1, 2, 3, 4, 5, 6, 7, 8, 9]], { dtype: 'i32' }))).toThrow(
      heedError('shape', { mentions: '8 tokens' }),
    )
  })
})

describe('folders', () => {
  it('come back as they were written', async () => {
    manualSeed(4)
    const model = new GPT2({ ...tiny, bos_token_id: 3, eos_token_id: null }).eval()
    const dir = join(scratch, 'written', 'here')
    const saved: string[] = []
    await savePretrained(model, dir, {
      tokenizer: { save: async (folder) => void saved.push(folder) },
    })
    expect(saved).toEqual([dir])
    const config = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'))
    expect(config).toMatchObject({
      architectures: ['GPT2LMHeadModel'],
      model_type: 'gpt2',
      torch_dtype: 'float32',
      n_embd: 8,
      eos_token_id: null,
      activation_function: 'gelu_new',
    })
    const back = await fromPretrained(dir)
    const ids = tensor([[1, 2, 3]], { dtype: 'i32' })
    expect(await back.forward(ids).data()).toEqual(await model.forward(ids).data())
    const file = await openSafetensors(dir)
    expect([...file.names].sort()).toEqual(Object.keys(model.stateDict()).sort())
    await file.close()
  })

  it('of unknown or unfitting models are refused', async () => {
    const copy = async (name: string, change: object): Promise<string> => {
      const dir = join(scratch, name)
      await cp(join(root, 'small'), dir, { recursive: true })
      const config = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'))
      await writeFile(join(dir, 'config.json'), JSON.stringify({ ...config, ...change }))
      return dir
    }
    const unknown = await copy('unknown', { model_type: 'gpt3' })
    await expect(fromPretrained(unknown)).rejects.toMatchObject({
      code: 'unknown-name',
      details: { value: 'gpt3' },
      remedy: expect.stringMatching(/^Did you mean gpt2\?/),
    })
    const wider = await copy('wider', { n_embd: 32 })
    await expect(fromPretrained(wider)).rejects.toThrow(
      heedError('shape', { mentions: ['GPT2', '(100, 16)', '(100, 32)'] }),
    )
    const deeper = await copy('deeper', { n_layer: 3 })
    await expect(fromPretrained(deeper)).rejects.toThrow(
      heedError('shape', { mentions: '12 missing' }),
    )
    const untied = await copy('untied', { tie_word_embeddings: false })
    await expect(fromPretrained(untied)).rejects.toThrow(
      heedError('shape', { mentions: ['1 missing', 'lm_head.weight'] }),
    )
    expect(existsSync(join(scratch, 'nowhere'))).toBe(false)
    await expect(fromPretrained(join(scratch, 'nowhere'))).rejects.toThrow(
      heedError('missing-file', { value: join(scratch, 'nowhere') }),
    )
  })

  it('with NaN in the weights are refused', async () => {
    const dir = join(scratch, 'nan')
    const model = new GPT2(tiny)
    const bias = model.transformer.ln_f.bias as Tensor
    model.loadStateDict(
      { 'transformer.ln_f.bias': { data: [0, 0, Number.NaN, 0, 0, 0, 0, 0], shape: [8] } },
      { strict: false },
    )
    expect(bias.shape).toEqual([8])
    await savePretrained(model, dir)
    await expect(fromPretrained(dir)).rejects.toThrow(
      heedError('corrupt-file', {
        key: 'transformer.ln_f.bias',
        value: Number.NaN,
        mentions: 'element 2',
      }),
    )
  })
})
