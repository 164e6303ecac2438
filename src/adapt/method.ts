// What a kind of adapter declares. Each is one file of this folder, registered like those of users.
import type { z } from 'zod'
import type { AdapterTargets } from '../models/index.ts'
import { Module } from '../nn/index.ts'
import type { Parameter, Tensor } from '../tensor/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import { having, optionKinds } from '../util/options.ts'
import { Registry } from '../util/registry.ts'
import type { Place } from './places.ts'

/** The trainable part of an adapter at one layer. Names of its parameters are those of peft's files. */
export abstract class AdapterLayer extends Module {
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

  /** An adapter's layer is not called; it changes the input or output of another layer. */
  forward(x: Tensor): Tensor {
    return x
  }
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

/** A kind of adapter for `addAdapter` and `heed train --adapter`. */
export interface AdapterMethod<Schema extends z.ZodObject = z.ZodObject> {
  /** Name in specifications: `lora` in `lora:r=16`. */
  readonly name: string
  /** One-line description for help, with the paper. */
  readonly about: string
  /** What the method computes, in the terms in which methods are compared. */
  readonly view: UnifiedView
  /** Returns the default `targets`, and options that depend on them, from what a family declares. */
  defaults(family: AdapterTargets): AdapterDefaults
  /** Options in addition to `targets`, `exclude`, `layers` and `save`. Each needs a default and a description. */
  readonly options: Schema
  /** Creates the part of a new adapter at a layer. */
  create(place: Place, options: z.output<Schema>): AdapterLayer
  /** How peft stores it; null if peft has no such method. */
  readonly peft: PeftFormat<z.output<Schema>> | null
}

/** A method in the unified view of He et al. (2022, table 1): h ← base·h + scale·Δh. */
export interface UnifiedView {
  /** Formula of Δh from the input x of the changed part, and its output h. */
  readonly change: string
  /** What is changed: `weight matrices`, `feed-forward layers`. */
  readonly place: string
  /** Whether Δh is computed from the input of the changed part, or from its output. */
  readonly form: 'parallel' | 'sequential'
  /** Factor λ₁ of h; `1` if h is kept. */
  readonly base: string
  /** Factor s of Δh. */
  readonly scale: string
}

/** Default `targets` of a method for a family, and options that depend on the family. */
export interface AdapterDefaults {
  /** Names of the layers to adapt. */
  readonly targets: readonly string[]
  readonly [option: string]: unknown
}

/** How peft stores a method in adapter_config.json. */
export interface PeftFormat<Options> {
  /** Value of `peft_type`, such as `LORA`. */
  readonly type: string
  /** Keys for these options. */
  write(options: Options, places: readonly Place[]): Record<string, unknown>
  /** Options for these keys; null if the file is of another method with the same type. `used` are the keys it reads. */
  read(config: Readonly<Record<string, unknown>>): Record<string, unknown> | null
  /** Keys of adapter_config.json that `read` uses. */
  readonly used: readonly string[]
}

const METHOD = optionKinds<AdapterMethod>({
  name: 'text',
  about: 'text',
  view: 'record',
  defaults: 'function',
  options: having('a zod object', 'safeParse', 'extend'),
  create: 'function',
  peft: 'record|null',
})

const registry = new Registry<AdapterMethod>('adapter method', 'method')

/**
 * Makes a kind of adapter available to `addAdapter` and all commands.
 * @throws HeedError if the name is already in use or invalid, or if the definition is incomplete
 */
export function registerAdapter<Schema extends z.ZodObject>(method: AdapterMethod<Schema>): void {
  checkArgument('registerAdapter', 'method', method, 'object')
  METHOD.check('registerAdapter', method)
  registry.register(method.name, method)
}

/** Returns a kind of adapter. @throws HeedError for an unknown name, with the most similar ones */
export const adapterMethod = (name: string): AdapterMethod => registry.get(name)

/** Returns all kinds of adapters, in the order of registration. */
export const adapterMethods = (): AdapterMethod[] => registry.values()
