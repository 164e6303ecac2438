// Models of published sizes, for counting parameters without allocating memory.
import { attention, Embedding, Linear, Module, RMSNorm } from '../nn/index.ts'
import type { Tensor } from '../tensor/index.ts'
import { unknownName } from '../util/registry.ts'
import type { Countable } from './count.ts'
import { definitions } from './definitions.ts'
import { modelClass } from './registry.ts'

/** Published sizes by name: those of the definitions, and those of models that have no `model_type`. */
function presets(): Map<string, () => Countable> {
  const all = new Map<string, () => Countable>()
  for (const { modelType, presets } of definitions.values())
    for (const [name, config] of Object.entries(presets))
      all.set(name, () => new (modelClass(modelType))(config as never))
  for (const [name, config] of Object.entries(palm)) all.set(name, () => new PaLM(config))
  return all
}

/** Returns the names of all published sizes. */
export const presetNames = (): string[] => [...presets().keys()]

/**
 * Creates a model of a published size. Its weights are never computed. @throws HeedError for an unknown name, with the
 * most similar ones
 */
export function preset(name: string): Countable {
  const make = presets().get(name)
  if (make) return make()
  throw unknownName('preset', name, presetNames())
}

interface PaLMConfig {
  layers: number
  width: number
  heads: number
}

// Chowdhery et al. (2022), table 1
const palm: Record<string, PaLMConfig> = {
  'palm-8b': { layers: 32, width: 4096, heads: 16 },
  'palm-62b': { layers: 64, width: 8192, heads: 32 },
  'palm-540b': { layers: 118, width: 18432, heads: 48 },
}

const PALM = { headDim: 256, vocabulary: 256_000, context: 2048 }

/**
 * The shapes of PaLM, only for counting, because no checkpoint has been published. Rotary positions have no weights and
 * no matrix products, and are omitted.
 */
class PaLM extends Module<PaLMConfig> implements Countable {
  readonly contextLength = PALM.context
  embedding = new Embedding(PALM.vocabulary, this.config.width) // shared with the output layer
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

/** Parallel attention and SwiGLU after a single norm, with one head of keys and values (multi-query attention). */
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
    const [q, k, v] = [this.q_proj, this.k_proj, this.v_proj].map((project) => project.forward(y))
    const attended = attention(q, k, v, { heads, kvHeads: 1, causal: true })
    const inner = this.gate_proj.forward(y).silu().mul(this.up_proj.forward(y))
    return x.add(this.o_proj.forward(attended)).add(this.down_proj.forward(inner))
  }

  private linear(inputs: number, outputs: number): Linear {
    return new Linear(inputs, outputs, { bias: false })
  }
}
