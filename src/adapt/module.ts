// The trainable parts of an adapter: what they change, and how they are stored.
import { Module } from '../nn/index.ts'
import { type Parameter, Tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import type { Place } from './places.ts'

/** A trainable part of an adapter. Names of its parameters are those in files. */
export abstract class AdapterModule extends Module {
  /** Whether factors other than 0 and 1 have a meaning in `setAdapters`. */
  readonly hasFactor: boolean = true
  /** Name of what only one adapter in use can change; null if several can. */
  readonly exclusive: string | null = null
  /** Whether the part belongs to the model as a whole, so that its names in files have no path. */
  readonly isWhole: boolean = false

  /**
   * Makes the model use the part. Returns a function that takes it off.
   * @param weight returns the factor of the adapter, a scalar that is read at each run
   */
  abstract attach(weight: () => Tensor): () => void

  /** How the part becomes part of a weight; null if it cannot. */
  get merging(): Merging | null {
    return null
  }

  /** The network that computes the weights of the file in training; null if there is none. */
  get encoder(): WeightEncoder | null {
    return null
  }

  /** A part is not called; it changes what the model computes. */
  forward(x: Tensor): Tensor {
    return x
  }
}

/** Weights that are computed by a network during training, while files contain only its result. */
export interface WeightEncoder {
  /** Replaces the network by its result, whose values are then loaded. */
  fold(): void
  /** Brings the network back, whose values are then loaded. */
  unfold(): void
  /** The result, by its name in files; null once the network is folded. */
  result(): Record<string, Tensor> | null
}

/** How a part becomes part of the weight of a layer. */
export interface Merging {
  /** The layer. */
  readonly place: Place
  /** Whether the change is a sum, so that several adapters of one layer can be merged in any order. */
  readonly isSum: boolean
  /** Returns the weight with the change. */
  merged(weight: number): Merged
  /** The change as two matrices, if nothing else describes it. Files such as GGUF's store only these. */
  lowRank(): LowRank | null
}

/** A change scale·B·A of a weight (outputs, inputs); for an embedding, of the transposed table. */
export interface LowRank {
  /** A, f32 (r, inputs). */
  readonly a: Parameter
  /** B, f32 (outputs, r). */
  readonly b: Parameter
  /** Factor of the product. */
  readonly scale: number
}

/** A layer's weight and, if it changes, its bias. */
export interface Merged {
  /** f32 (outputs, inputs), or the table (inputs, outputs) of an embedding. */
  weight: Tensor
  /** f32 (outputs), if the adapter changes it. */
  bias?: Tensor
}

/** The trainable part of an adapter at one layer. */
export abstract class AdapterLayer extends AdapterModule {
  /** Whether the change is a sum, so that several adapters can change one layer in any order. */
  readonly isSum: boolean = false
  readonly #place: Place // private, so that the weights of the layer do not become part of the adapter

  /** Creates the trainable part for one layer. */
  constructor(place: Place) {
    super()
    checkArgument('AdapterLayer', 'place', place, 'object')
    this.#place = place
  }

  /** The layer that the adapter changes. */
  protected get place(): Place {
    return this.#place
  }

  /**
   * Returns the changed input of the layer.
   * @param weight the factor of this adapter, a scalar that is read at each run (see `setAdapters`)
   */
  changeInput?(x: Tensor, weight: Tensor): Tensor
  /** Returns the changed output of the layer. */
  changeOutput?(x: Tensor, y: Tensor, weight: Tensor): Tensor
  /** Returns the weight of the layer with the change: (outputs, inputs), or the table (inputs, outputs) of an embedding. */
  abstract merged(weight: number): Merged

  /** The change as two matrices, if nothing else describes it. Files such as GGUF's store only these. */
  lowRank?(): LowRank | null

  attach(weight: () => Tensor): () => void {
    const { layer } = this.#place
    const removals = [
      this.changeInput &&
        layer.preHook('', (_, [x, ...rest]) =>
          x instanceof Tensor ? [this.changeInput?.(x, weight()), ...rest] : null,
        ),
      this.changeOutput &&
        layer.hook('', (_, [x], y) =>
          x instanceof Tensor ? this.changeOutput?.(x, y, weight()) : null,
        ),
    ]
    return () => {
      for (const remove of removals) remove?.()
    }
  }

  override get merging(): Merging {
    return {
      place: this.#place,
      isSum: this.isSum,
      merged: (weight) => this.merged(weight),
      lowRank: () => this.lowRank?.() ?? null,
    }
  }
}
