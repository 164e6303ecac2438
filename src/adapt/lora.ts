// LoRA: a low-rank change of a weight matrix, W + s·B·A (Hu et al., 2022), with rsLoRA's factor (Kalajdzievski, 2023),
// and DoRA, which also learns the length of each row (Liu et al., 2024).
import { z } from 'zod'
import type { AdapterTargets } from '../models/index.ts'
import { init, Linear } from '../nn/index.ts'
import { F, Parameter, type Tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import {
  type AdapterDefaults,
  onLayers,
  type PeftFormat,
  placesOf,
  registerAdapter,
  type UnifiedView,
} from './method.ts'
import { AdapterLayer, type LowRank, type Merged } from './module.ts'
import { patternValue } from './patterns.ts'
import type { Place } from './places.ts'

const shared = {
  r: z.int().min(1).default(8).describe('rank of the change'),
  alpha: z.number().positive().default(16).describe('factor of the change: α/r, or α/√r for rslora'),
  dropout: z.number().min(0).lt(1).default(0).describe('dropout probability of the input'),
  bias: z.boolean().default(false).describe('add a bias to B'),
  rankPattern: z.record(z.string(), z.int().min(1)).default({}).describe('rank by name of the layer'),
  alphaPattern: z.record(z.string(), z.number()).default({}).describe('alpha by name of the layer'),
} // biome-ignore format: a table

const options = z.strictObject(shared)
type Options = z.output<typeof options>

/** The factor s. */
type Scaling = (alpha: number, rank: number) => number
const plain: Scaling = (alpha, rank) => alpha / rank
const rankStabilised: Scaling = (alpha, rank) => alpha / Math.sqrt(rank)

/** LoRA of a linear layer: y + s·B·A·x. */
class LoraLinear extends AdapterLayer {
  override readonly isSum: boolean = true
  readonly lora_A: Linear
  readonly lora_B: Linear
  protected readonly scale: number
  protected readonly dropout: number

  constructor(place: Place, { rank, scale, dropout, bias }: Sizes) {
    super(place)
    const { inputs, outputs } = place
    this.lora_A = new Linear(inputs, rank, { bias: false }) // Kaiming uniform with a = √5
    this.lora_B = new Linear(rank, outputs, { bias })
    this.lora_B.weight = new Parameter(init.zeros([outputs, rank]))
    if (bias) this.lora_B.bias = new Parameter(init.zeros([outputs]))
    this.scale = scale
    this.dropout = dropout
  }

  protected drop(x: Tensor): Tensor {
    return this.place.layer.training && this.dropout > 0 ? F.dropout(x, this.dropout) : x
  }

  protected product(x: Tensor): Tensor {
    return F.linear(F.linear(x, this.lora_A.weight), this.lora_B.weight, this.lora_B.bias)
  }

  /** factor·product(x). The factor multiplies the r numbers of A·x, which are fewer. */
  private scaled(x: Tensor, factor: Tensor): Tensor {
    const inner = F.linear(x, this.lora_A.weight).mul(factor)
    const { weight, bias } = this.lora_B
    return F.linear(inner, weight, bias?.mul(factor))
  }

  /** B·A, (outputs, inputs). */
  protected delta(): Tensor {
    return this.lora_B.weight.matmul(this.lora_A.weight)
  }

  override changeOutput(x: Tensor, y: Tensor, weight: Tensor): Tensor {
    return y.add(this.scaled(this.drop(x), weight.mul(this.scale)))
  }

  override lowRank(): LowRank | null {
    if (this.lora_B.bias) return null
    return { a: this.lora_A.weight, b: this.lora_B.weight, scale: this.scale }
  }

  override merged(weight: number): Merged {
    const factor = this.scale * weight
    const change = this.lora_B.bias?.mul(factor)
    return {
      weight: this.place.weight().add(this.delta().mul(factor)),
      ...(change && { bias: this.place.bias?.add(change) ?? change }),
    }
  }
}

/** LoRA of a table: W[id] + s·(B·A)ᵀ[id]. */
class LoraEmbedding extends AdapterLayer {
  override readonly isSum = true
  readonly lora_embedding_A: Parameter // (r, V)
  readonly lora_embedding_B: Parameter // (C, r)
  private readonly scale: number

  constructor(place: Place, { rank, scale }: Sizes) {
    super(place)
    const { inputs, outputs } = place
    this.lora_embedding_A = new Parameter(init.zeros([rank, inputs]))
    this.lora_embedding_B = new Parameter(init.normal([outputs, rank]))
    this.scale = scale
  }

  override changeOutput(ids: Tensor, y: Tensor, weight: Tensor): Tensor {
    const rows = F.embedding(ids, this.lora_embedding_A.t()) // (..., r)
    return y.add(F.linear(rows.mul(weight.mul(this.scale)), this.lora_embedding_B))
  }

  override lowRank(): LowRank {
    return { a: this.lora_embedding_A, b: this.lora_embedding_B, scale: this.scale }
  }

  override merged(weight: number): Merged {
    const delta = this.lora_embedding_B.matmul(this.lora_embedding_A).t() // (V, C)
    return { weight: this.place.weight().add(delta.mul(this.scale * weight)) }
  }
}

/** DoRA: the rows of W + s·B·A, scaled to learned lengths m. */
class DoraLinear extends LoraLinear {
  override readonly isSum = false
  readonly lora_magnitude_vector: Parameter // (outputs)

  constructor(place: Place, sizes: Sizes) {
    super(place, sizes)
    this.lora_magnitude_vector = new Parameter(lengths(place.weight()).detach()) // B is zero
  }

  override changeOutput(x: Tensor, y: Tensor, weight: Tensor): Tensor {
    const { bias } = this.place
    const scale = weight.mul(this.scale)
    const base = this.place.weight().detach()
    // The gradient does not flow through the lengths (section 4.3).
    const factor = this.lora_magnitude_vector.div(
      lengths(base.add(this.delta().mul(scale))).detach(),
    )
    const dropped = this.drop(x)
    const own = dropped === x ? (bias ? y.sub(bias) : y) : F.linear(dropped, base)
    return y.add(own.mul(factor.sub(1))).add(this.product(dropped).mul(scale).mul(factor))
  }

  override lowRank(): null {
    return null
  }

  override merged(weight: number): Merged {
    const merged = super.merged(weight)
    const factor = this.lora_magnitude_vector.div(lengths(merged.weight))
    return { ...merged, weight: merged.weight.mul(factor.unsqueeze(1)) }
  }
}

/** Euclidean length of each row. */
const lengths = (weight: Tensor): Tensor => weight.square().sum(1).sqrt()

interface Sizes {
  rank: number
  scale: number
  dropout: number
  bias: boolean
}

function sizesAt(place: Place, given: Options, scaling: Scaling): Sizes {
  const rank = patternValue(given.rankPattern, place) ?? given.r
  const alpha = patternValue(given.alphaPattern, place) ?? given.alpha
  return { rank, scale: scaling(alpha, rank), dropout: given.dropout, bias: given.bias }
}

/** peft stores all three methods as LORA, with two flags. */
function peftFormat(useRslora: boolean, useDora: boolean): PeftFormat<Options> {
  return {
    type: 'LORA',
    used: ['r', 'lora_alpha', 'lora_dropout', 'lora_bias', 'use_rslora', 'use_dora', 'rank_pattern', 'alpha_pattern', 'fan_in_fan_out'], // biome-ignore format: one line
    write: ({ r, alpha, dropout, bias, rankPattern, alphaPattern }, adapter) => ({
      r,
      lora_alpha: alpha,
      lora_dropout: dropout,
      lora_bias: bias,
      use_rslora: useRslora,
      use_dora: useDora,
      rank_pattern: rankPattern,
      alpha_pattern: alphaPattern,
      bias: 'none',
      fan_in_fan_out: placesOf(adapter).every(
        ({ kind, transposed }) => kind === 'linear' && transposed,
      ),
      init_lora_weights: true,
    }),
    read: (config) =>
      (config.use_rslora === true) !== useRslora || (config.use_dora === true) !== useDora
        ? null
        : {
            r: config.r ?? 8,
            alpha: config.lora_alpha ?? 8, // peft's default; Heed's is 16
            dropout: config.lora_dropout ?? 0,
            bias: config.lora_bias ?? false,
            rankPattern: config.rank_pattern ?? {},
            alphaPattern: config.alpha_pattern ?? {},
          },
  }
}

const create =
  (scaling: Scaling, Layer: new (place: Place, sizes: Sizes) => AdapterLayer) =>
  (place: Place, given: Options): AdapterLayer => {
    const sizes = sizesAt(place, given, scaling)
    return place.kind === 'linear' ? new Layer(place, sizes) : new LoraEmbedding(place, sizes)
  }

const defaults = ({ lora }: AdapterTargets): AdapterDefaults => ({ targets: lora })

const view: UnifiedView = {
  change: 'B·A·x',
  place: 'weight matrices',
  form: 'parallel',
  base: '1',
  scale: 'α/r',
}

registerAdapter({
  name: 'lora',
  about: 'low-rank change of weight matrices (Hu et al., 2022)',
  view,
  options,
  ...onLayers({ defaults, create: create(plain, LoraLinear) }),
  peft: peftFormat(false, false),
})

registerAdapter({
  name: 'rslora',
  about: 'LoRA with the factor α/√r, for high ranks (Kalajdzievski, 2023)',
  view: { ...view, scale: 'α/√r' },
  options,
  ...onLayers({ defaults, create: create(rankStabilised, LoraLinear) }),
  peft: peftFormat(true, false),
})

registerAdapter({
  name: 'dora',
  about: 'LoRA that also learns the length of each row (Liu et al., 2024)',
  view: { ...view, base: 'm/‖W + α/r·B·A‖', scale: 'm/‖W + α/r·B·A‖·α/r' },
  options,
  ...onLayers<Options>({
    defaults,
    create(place, given) {
      if (place.kind === 'linear') return new DoraLinear(place, sizesAt(place, given, plain))
      throw new HeedError(
        'unsupported',
        `dora must be attached to linear layers, got the embedding ${place.path}`,
        { key: 'targets', value: place.path, remedy: 'Leave it out of `targets`, or use lora.' },
      )
    },
  }),
  peft: peftFormat(false, true),
})
