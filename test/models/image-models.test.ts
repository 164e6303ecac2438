import { describe, expect, it } from 'vitest'
import { F, manualSeed, randn, tensor, zeros } from '../../src/index.ts'
import {
  countModel,
  DeiTForImageClassificationWithTeacher,
  modelClass,
  ResNetForImageClassification,
  ResNetModel,
  ViTForImageClassification,
  ViTHybridModel,
  ViTModel,
} from '../../src/models/index.ts'
import { AdamW } from '../../src/optim/index.ts'
import { heedError } from '../support/heed-error.ts'

const tiny = {
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 16,
  image_size: 8,
  patch_size: 4,
  num_channels: 1,
}

const parameters = (model: { parameters(): { size: number }[] }): number =>
  model.parameters().reduce((n, { size }) => n + size, 0)

describe('image models', () => {
  it('have as many weights as those that were published', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [i, `class ${i}`]))
    expect(parameters(new ViTForImageClassification({ id2label: many }))).toBe(86_567_656)
    expect(parameters(new ResNetForImageClassification({ id2label: many }))).toBe(25_557_032)
    const basic = { layer_type: 'basic', hidden_sizes: [64, 128, 256, 512], depths: [2, 2, 2, 2] }
    expect(
      parameters(new ResNetForImageClassification({ ...basic, id2label: many } as never)),
    ).toBe(11_689_512)
    expect(parameters(new ViTHybridModel({ image_size: 384 }))).toBe(98_772_544)
  })

  it('take as many operations as the papers tell', () => {
    const vit = countModel(new ViTForImageClassification({ image_size: 384 }))
    expect(vit.unit).toBe('image')
    expect(vit.forwardFlops / 2e9).toBeCloseTo(55.5, 0) // multiply-adds of ViT-B/16 at 384
    const resnet = countModel(new ResNetForImageClassification())
    expect(resnet.forwardFlops / 2e9).toBeCloseTo(4.09, 1) // of ResNet-50 v1.5
    expect(resnet.trainingFlops / resnet.forwardFlops).toBeCloseTo(3, 0)
    expect(() => countModel(new ViTModel(), 7)).toThrow(
      heedError('invalid-option', { key: 'context', value: 7 }),
    )
  })

  it('make tokens by a linear map of the pixels of each patch', async () => {
    const model = new ViTModel(tiny)
    const { projection } = model.embeddings.patch_embeddings as unknown as {
      projection: { weight: ReturnType<typeof zeros>; bias: ReturnType<typeof zeros> }
    }
    const images = randn([2, 1, 8, 8])
    const patches = images.reshape(2, 2, 4, 2, 4).permute(0, 1, 3, 2, 4).reshape(2, 4, 16)
    const wanted = F.linear(patches, projection.weight.reshape(8, 16), projection.bias)
    const got = model.embeddings.patch_embeddings.forward(images).reshape(2, 8, 4).transpose(1, 2)
    expect(await got.sub(wanted).abs().amax().item()).toBeLessThan(1e-6)
  })

  it('learn to tell a bright left from a bright right', async () => {
    manualSeed(3)
    const pixels = new Float32Array(8 * 64).map((_, i) => {
      const right = i % 8 >= 4
      return (i >> 6) % 2 === Number(right) ? 1 : 0
    })
    const images = tensor(pixels, { shape: [8, 1, 8, 8] })
    const labels = tensor(Int32Array.from({ length: 8 }, (_, i) => i % 2))
    const small = { embedding_size: 4, hidden_sizes: [8], depths: [1], num_channels: 1 }
    for (const model of [
      new ViTForImageClassification(tiny),
      new DeiTForImageClassificationWithTeacher(tiny),
      new ResNetForImageClassification(small),
    ]) {
      const optimizer = new AdamW(model.parameters(), { lr: 0.02 })
      let last = 0
      for (let step = 0; step < 25; step++) {
        const loss = model.loss(images, labels)
        loss.backward()
        await optimizer.step()
        last = await loss.item()
      }
      expect(last).toBeLessThan(0.1)
    }
  })

  it('say what they cannot read', () => {
    const vit = new ViTModel(tiny)
    expect(() => vit.forward(zeros([2, 3, 8, 8]))).toThrow(
      heedError('shape', { mentions: '(N, 1, height, width)' }),
    )
    expect(() => vit.forward(zeros([1, 8, 8]))).toThrow(
      heedError('shape', { mentions: '(1, 8, 8)' }),
    )
    expect(() => new ViTModel({ ...tiny, patch_size: 9 })).toThrow(
      heedError('invalid-config', { key: 'patch_size', value: 9, mentions: 'image_size' }),
    )
    expect(() => new ViTModel({ ...tiny, num_attention_heads: 3 })).toThrow(
      heedError('invalid-config', { key: 'num_attention_heads', value: 3 }),
    )
    expect(() => new ResNetModel({ depths: [1], hidden_sizes: [8, 16] })).toThrow(
      heedError('invalid-config', { key: 'depths', value: [1] }),
    )
    expect(() => new ResNetModel({ depths: [1], hidden_sizes: [2] })).toThrow(
      heedError('invalid-config', { key: 'hidden_sizes', value: 2, mentions: /\b4\b/ }),
    )
    expect(() => new ViTHybridModel({ backbone_featmap_shape: [1, 512, 24, 24] })).toThrow(
      heedError('invalid-config', {
        key: 'backbone_featmap_shape',
        value: 512,
        mentions: '(1024)',
      }),
    )
    const features = { out_features: ['stage9'] } as never
    expect(() => new ViTHybridModel({ backbone_config: features })).toThrow(
      heedError('invalid-config', {
        key: 'out_features',
        value: ['stage9'],
        mentions: 'stem, stage1',
      }),
    )
    expect(() => modelClass('vit', 'causal-lm')).toThrow(
      heedError('unsupported', {
        key: 'head',
        value: 'causal-lm',
        mentions: 'image-classification',
      }),
    )
  })
})
