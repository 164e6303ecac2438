// Prefix tuning: trained keys and values before those of the text in each layer (Li and Liang, 2021), by default trained
// as they are (P-tuning v2; Liu et al., 2022), with `projection` computed by a network.
import { z } from 'zod'
import { init, Linear } from '../nn/index.ts'
import type { KeyValues } from '../nn/key-values.ts'
import { Parameter, type Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { registerAdapter } from './method.ts'
import {
  checkModelKeys,
  hidden,
  MODEL_KEYS,
  modelKeys,
  type Reader,
  RowNetwork,
  readerOf,
  savedPrefix,
  tokens,
  VirtualModule,
  wholeModel,
} from './virtual.ts'

/** Keys and values of each layer, from rows (P, layers·2·C'): 2l keys, 2l + 1 values of layer l. */
class PrefixTokens extends VirtualModule {
  /** Which pair of keys and values a layer reads. */
  readonly pairs: readonly number[]

  constructor({ model, layers }: Reader, count: number, network?: () => RowNetwork) {
    const [{ width }] = layers
    super(model, { count, shape: [count, layers.length * 2 * width], network })
    // For encoder-decoders, peft cuts pairs of keys and values out of twice the list: self-attention gets every other one.
    this.pairs = layers.map((_, layer) => (model.stackCount * layer) % layers.length)
  }

  keyValues(layer: number): KeyValues {
    const width = this.width / (2 * this.pairs.length)
    const at = 2 * this.pairs[layer] * width
    return { k: this.rows.narrow(1, at, width), v: this.rows.narrow(1, at + width, width) }
  }
}

/** Two linear layers with tanh. */
class PrefixEncoder extends RowNetwork {
  readonly embedding: Parameter // (P, C')
  readonly transform: readonly [Linear, Linear]

  constructor(count: number, width: number, hidden: number, outputs: number) {
    super()
    this.embedding = new Parameter(init.normal([count, width]))
    this.transform = [new Linear(width, hidden), new Linear(hidden, outputs)]
  }

  override forward(): Tensor {
    const [first, last] = this.transform
    return last.forward(first.forward(this.embedding).tanh())
  }
}

const options = z.strictObject({
  tokens,
  projection: z.boolean().default(false).describe('compute the keys and values with a network'),
  hidden,
})

registerAdapter({
  name: 'prefix',
  about: 'trained keys and values in each layer (Li and Liang, 2021; Liu et al., 2022)',
  view: {
    change: 'softmax(x·Wq·Kᵖᵀ)·Vᵖ',
    place: 'self-attention',
    form: 'parallel',
    base: '(1 − λ)',
    scale: 'λ',
  },
  options,
  ...wholeModel,
  modules(model, { options: { tokens, projection, hidden } }) {
    const reader = readerOf('prefix', model, tokens)
    const [{ width }, ...others] = reader.layers
    if (others.some((layer) => layer.width !== width))
      throw new HeedError('unsupported', `prefix must be attached to a model with keys of one width, got ${reader.layers.map((layer) => layer.width).join(', ')}`, { key: 'method', value: 'prefix', remedy: 'Use lora.' }) // biome-ignore format: one line
    const network = () =>
      new PrefixEncoder(tokens, width, hidden ?? width, 2 * reader.layers.length * width)
    return { prefix: new PrefixTokens(reader, tokens, projection ? network : undefined) }
  },
  peft: {
    type: 'PREFIX_TUNING',
    savedPrefix,
    check: checkModelKeys,
    used: [...MODEL_KEYS, 'prefix_projection', 'encoder_hidden_size', 'init_weights'],
    write({ tokens, projection, hidden }, adapter) {
      const [{ width, kvHeads }] = readerOf('prefix', adapter.model, 1).layers
      return {
        ...modelKeys(adapter, tokens, width),
        num_attention_heads: kvHeads,
        encoder_hidden_size: hidden ?? width,
        prefix_projection: projection,
        init_weights: null,
      }
    },
    read: ({ num_virtual_tokens, prefix_projection, encoder_hidden_size }) => ({
      tokens: num_virtual_tokens,
      projection: prefix_projection ?? false,
      hidden: encoder_hidden_size ?? null,
    }),
  },
})
