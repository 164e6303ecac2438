import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { defaultDevice, setDefaultDevice } from '../../src/index.ts'
import { GPT2, savePretrained } from '../../src/models/index.ts'
import {
  Conv1D,
  Linear,
  QuantizedEmbedding,
  QuantizedLinear,
  quantize,
  Sequential,
} from '../../src/nn/index.ts'
import { manualSeed, Parameter, rand, randn, type Tensor, tensor } from '../../src/tensor/index.ts'
import { dequantizeBlocks } from '../../src/util/block-formats.ts'
import { quantizeBlocks, quantizeFormats } from '../../src/util/quantize-blocks.ts'
import { allDevices } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const tiny = { vocab_size: 50, n_positions: 16, n_embd: 32, n_layer: 2, n_head: 2 }

function gpt(more = {}): GPT2 {
  manualSeed(3)
  return new GPT2({ ...tiny, initializer_range: 0.3, ...more }).eval()
}

const ids = (): Tensor =>
  tensor(Int32Array.from({ length: 12 }, (_, i) => (i * 7) % 50)).reshape([1, 12])

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most: number, x, i) => Math.max(most, Math.abs(x - b[i])), 0)

/**
 * Adds to what each layer computes an error as products with weights in blocks may have, which round the numbers in front
 * of them: of up to 1/65278 of the largest in the row (kernels/cpp/matmul-quantized.h).
 */
function roundInputs(model: GPT2): void {
  for (const [path, layer] of model.namedModules()) {
    if (!(layer instanceof Linear || layer instanceof Conv1D)) continue
    const weight = layer instanceof Linear ? layer.weight.t() : layer.weight
    model.hook(path, (_, [input], output) => {
      const x = input as Tensor
      const share = rand([...x.shape])
        .mul(2)
        .sub(1)
        .div(65278)
      return output.add(share.mul(x.abs().amax(-1, true)).matmul(weight))
    })
  }
}

describe.each(quantizeFormats)('quantize to %s', (format) => {
  it('hardly moves what a layer computes', async () => {
    manualSeed(1)
    const [linear, conv] = [new Linear(64, 7), new Conv1D(64, 5, { std: 0.1 })]
    const x = randn([3, 64])
    const before = await Promise.all([linear.forward(x).data(), conv.forward(x).data()])
    const model = new Sequential(linear, conv)
    expect(await quantize(model, format)).toHaveLength(2)
    const [first, second] = model
      .namedModules()
      .map(([, module]) => module)
      .slice(1)
    expect(first).toBeInstanceOf(QuantizedLinear)
    // 64 products of numbers around 1 with weights up to 0.125 and around 0.1, half a step off.
    const bound = { q8_0: 0.02, q4_0: 0.4, q4_1: 0.3 }[format]
    const after = [first, second].map((layer) => (layer as QuantizedLinear).forward(x).data())
    for (const [i, values] of (await Promise.all(after)).entries()) {
      expect(worst(values, before[i])).toBeGreaterThan(0)
      expect(worst(values, before[i])).toBeLessThan(bound)
    }
  })

  describe.each(allDevices)('on $name', ({ make }) => {
    it('is the model with its weights rounded, and its activations to 16 bits', async () => {
      const before = defaultDevice()
      setDefaultDevice(make())
      onTestFinished(() => void setDefaultDevice(before))
      const [model, rounded] = [gpt(), gpt()]
      for (const [name, parameter] of rounded.namedParameters()) {
        if (parameter.rank < 2 || name.includes('wpe')) continue
        const turned = name.includes('.h.') ? parameter.detach().t() : parameter
        const values = Float32Array.from(await turned.data())
        const back = dequantizeBlocks(format, quantizeBlocks(format, values))
        const near = tensor(back).reshape([...turned.shape])
        parameter.assign(name.includes('.h.') ? near.t() : near)
      }
      await quantize(model, format)
      const [expected, found] = [
        await rounded.forward(ids()).data(),
        await model.forward(ids()).data(),
      ]
      roundInputs(rounded)
      let cost = 0
      for (let seed = 0; seed < 8; seed++) {
        manualSeed(seed)
        cost = Math.max(cost, worst(await rounded.forward(ids()).data(), expected))
      }
      // Of the largest of eight draws, at most 1.01 times as much was measured on any device.
      expect(worst(found, expected)).toBeLessThan(2 * cost)
    })
  })
})

describe('quantize', () => {
  it('replaces layers and the table that shares a weight, once', async () => {
    const model = gpt()
    const names = await quantize(model, 'q8_0')
    expect(names).toHaveLength(2 * 4 + 2)
    expect(names).toContain('transformer.h.1.mlp.c_fc')
    expect(names).toContain('transformer.wte')
    const [table, head] = ['transformer.wte', 'lm_head'].map((name) => model.getModule(name))
    expect(table).toBeInstanceOf(QuantizedEmbedding)
    expect((table as QuantizedEmbedding).weight).toBe((head as QuantizedLinear).weight)
    expect(model.namedParameters().map(([name]) => name)).not.toContain('transformer.wte.weight')
    expect(await quantize(gpt({ tie_word_embeddings: false }), 'q8_0')).toHaveLength(2 * 4 + 1)
  })

  it('leaves layers whose rows are no whole blocks, and says when nothing is left', async () => {
    const model = new Sequential(new Linear(33, 32), new Linear(32, 33))
    expect(await quantize(model, 'q4_0')).toEqual(['1'])
    await expect(quantize(new Sequential(new Linear(8, 32)), 'q4_0')).rejects.toThrow(
      heedError('unsupported', { mentions: 'Sequential', remedy: '32 inputs' }),
    )
  })

  it('keeps the weights of modules, also where they are shared, and evaluation mode', async () => {
    const model = gpt().eval()
    const names = await quantize(model, 'q8_0', { keep: [model.lm_head, model.transformer.h[0]] })
    expect(names).toHaveLength(4)
    expect(names.every((name) => name.startsWith('transformer.h.1.'))).toBe(true)
    expect(model.lm_head.weight).toBe(model.transformer.wte.weight)
    expect(names.map((name) => model.getModule(name).training)).not.toContain(true)
  })

  it('refuses other formats, and weights that are not finite, by name', async () => {
    await expect(quantize(gpt(), 'q2_k' as never)).rejects.toMatchObject({
      details: { value: 'q2_k', try: { format: ['q8_0', 'q4_0', 'q4_1'] } },
    })
    const linear = new Linear(32, 1)
    linear.weight.assign(linear.weight.detach().mul(Number.POSITIVE_INFINITY))
    await expect(quantize(new Sequential(linear), 'q8_0')).rejects.toThrow(
      heedError('invalid-data', { mentions: /0\.weight: .* -?(Infinity|NaN) at 0/ }),
    )
  })

  it('is not saved as if nothing were missing', async () => {
    const model = gpt()
    const state = model.stateDict()
    await quantize(model, 'q4_0')
    expect(() => model.stateDict()).toThrow(
      heedError('unsupported', { mentions: 'got q4_0', remedy: 'quantize()' }),
    )
    expect(() => model.loadStateDict(state)).toThrow(
      heedError('unsupported', { mentions: 'got q4_0' }),
    )
    const folder = join(tmpdir(), 'heed-quantized')
    await expect(savePretrained(model.transformer.h[0], folder)).rejects.toThrow(
      heedError('unsupported', { mentions: ['got q4_0', 'attn.c_attn'] }),
    )
    await expect(savePretrained(model, folder)).rejects.toThrow(
      heedError('unsupported', { mentions: 'got q4_0' }),
    )
  })

  it('lets gradients through to what is in front', async () => {
    manualSeed(2)
    const model = new Sequential(new Linear(32, 4))
    const x = new Parameter(randn([2, 32]))
    const slope = async (): Promise<ArrayLike<number>> => {
      x.grad = null
      model.forward(x).sum().backward()
      return (x.grad as Tensor | null)?.data() ?? []
    }
    const expected = await slope()
    await quantize(model, 'q8_0')
    const found = await slope()
    expect(found).toHaveLength(64)
    expect(worst(found, expected)).toBeLessThan(5e-3)
  })
})

describe('QuantizedLinear', () => {
  it('takes blocks as a file holds them', async () => {
    const data = quantizeBlocks('q8_0', new Float32Array(64).fill(0.5))
    const layer = new QuantizedLinear({ format: 'q8_0', shape: [2, 32], data })
    const y = await layer.forward(tensor(new Float32Array(32).fill(1))).data()
    expect(Array.from(y)).toEqual([expect.closeTo(16, 2), expect.closeTo(16, 2)])
  })

  it('refuses blocks of another number', () => {
    const data = new Uint8Array(34)
    expect(() => new QuantizedLinear({ format: 'q8_0', shape: [2, 32], data })).toThrow(
      heedError('shape', { mentions: ['(2, 32)', 'q8_0', '68 bytes', 'got 34'] }),
    )
  })
})
