// Models of published sizes, to be counted before anybody allocates them.
import { attention, Embedding, Linear, Module, RMSNorm } from '../nn/index.ts'
import type { Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { nearestFirst } from '../util/nearest.ts'
import type { Countable } from './count.ts'
import { modelClass } from './registry.ts'

const gpt = (n_layer: number, n_embd: number, n_head: number, n_positions = 1024): Countable =>
  new (modelClass('gpt2'))({ n_layer, n_embd, n_head, n_positions } as never)

const llama = (layers: number, width: number, heads: number, inner: number): Countable =>
  new (modelClass('llama'))({
    num_hidden_layers: layers,
    hidden_size: width,
    num_attention_heads: heads,
    intermediate_size: inner,
  } as never)

/** By name; each builds the model, which computes nothing. */
const presets: Record<string, () => Countable> = {
  // Radford et al. (2019)
  gpt2: () => gpt(12, 768, 12),
  'gpt2-medium': () => gpt(24, 1024, 16),
  'gpt2-large': () => gpt(36, 1280, 20),
  'gpt2-xl': () => gpt(48, 1600, 25),
  // Brown et al. (2020), table 2.1; every layer attends to everything here, half of them locally there
  'gpt3-175b': () => gpt(96, 12288, 96, 2048),
  // Touvron et al. (2023), table 2
  'llama-7b': () => llama(32, 4096, 32, 11008),
  'llama-13b': () => llama(40, 5120, 40, 13824),
  'llama-33b': () => llama(60, 6656, 52, 17920),
  'llama-65b': () => llama(80, 8192, 64, 22016),
  // Chowdhery et al. (2022), table 1
  'palm-8b': () => new PaLM({ layers: 32, width: 4096, heads: 16 }),
  'palm-62b': () => new PaLM({ layers: 64, width: 8192, heads: 32 }),
  'palm-540b': () => new PaLM({ layers: 118, width: 18432, heads: 48 }),
}

export const presetNames = (): string[] => Object.keys(presets)

/** @throws HeedError that lists the names */
export function preset(name: string): Countable {
  if (Object.hasOwn(presets, name)) return presets[name]()
  throw new HeedError('unknown-name', `There is no preset '${name.slice(0, 80)}'`, {
    remedy: `Known: ${nearestFirst(name, presetNames()).join(', ')}.`,
  })
}

interface PaLMConfig {
  layers: number
  width: number
  heads: number
}

const PALM = { headDim: 256, vocabulary: 256_000, context: 2048 }

/**
 * The shapes of PaLM: no checkpoint of it was ever published, so this is for counting alone. Rotary
 * positions, which have no weights and no matrix products, are left out.
 */
class PaLM extends Module<PaLMConfig> implements Countable {
  readonly contextLength = PALM.context
  embedding = new Embedding(PALM.vocabulary, this.config.width) // the output shares it
  h = Array.from({ length: this.config.layers }, () => new PaLMBlock(this.config))
  norm = new RMSNorm(this.config.width)
  lm_head = new Linear(this.config.width, PALM.vocabulary, {
    bias: false,
    weight: this.embedding.weight,
  })

  forward(ids: Tensor): Tensor {
    const x = this.h.reduce((x, block) => block.forward(x), this.embedding.forward(ids))
    return this.lm_head.forward(this.norm.forward(x))
  }
}

/** Attention and SwiGLU side by side on one norm; one head of keys and values for all queries. */
class PaLMBlock extends Module<PaLMConfig> {
  norm = new RMSNorm(this.config.width)
  q_proj = this.linear(this.config.width, this.config.heads * PALM.headDim)
  k_proj = this.linear(this.config.width, PALM.headDim)
  v_proj = this.linear(this.config.width, PALM.headDim)
  o_proj = this.linear(this.config.heads * PALM.headDim, this.config.width)
  gate_proj = this.linear(this.config.width, 4 * this.config.width)
  up_proj = this.linear(this.config.width, 4 * this.config.width)
  down_proj = this.linear(4 * this.config.width, this.config.width)

  forward(x: Tensor): Tensor {
    const y = this.norm.forward(x)
    const { heads } = this.config
    const [q, k, v] = [this.q_proj, this.k_proj, this.v_proj].map((part) => part.forward(y))
    const seen = attention(q, k, v, { heads, kvHeads: 1, causal: true })
    const inner = this.gate_proj.forward(y).silu().mul(this.up_proj.forward(y))
    return x.add(this.o_proj.forward(seen)).add(this.down_proj.forward(inner))
  }

  private linear(inputs: number, outputs: number): Linear {
    return new Linear(inputs, outputs, { bias: false })
  }
}
